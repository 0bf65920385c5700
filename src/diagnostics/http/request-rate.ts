import { HttpRefusal } from './http-refusal.js';

/** A token bucket: `burst` requests at once, `perSecond` for ever. */
export class RequestRate {
  private tokens: number;
  private filledMs: number;

  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.tokens = burst;
    this.filledMs = nowMs();
  }

  /** Counts one request. @throws HttpRefusal 429 with Retry-After when there are too many */
  take(): void {
    const nowMs = this.nowMs();
    this.tokens = Math.min(this.burst, this.tokens + ((nowMs - this.filledMs) / 1_000) * this.perSecond);
    this.filledMs = nowMs;
    if (this.tokens < 1) {
      const retryAfter = Math.max(1, Math.ceil((1 - this.tokens) / this.perSecond));
      throw new HttpRefusal('RATE_LIMITED', 'too many requests', { headers: { 'Retry-After': String(retryAfter) } });
    }
    this.tokens -= 1;
  }
}
