import { HttpRefusal } from './http-refusal.js';

/** Lets one costly request through at a time: two profiles at once would measure each other. */
export class CostlySlot {
  private freeAtMs: number | null = null;

  /**
   * @param seconds about how long it takes; tells the others when to come back
   * @returns gives the place back
   * @throws HttpRefusal 429 while another one is under way
   */
  take(seconds: number): () => void {
    const nowMs = performance.now();
    if (this.freeAtMs !== null) {
      const retryAfter = Math.max(1, Math.ceil((this.freeAtMs - nowMs) / 1_000));
      throw new HttpRefusal('RATE_LIMITED', 'another costly request is under way', {
        headers: { 'Retry-After': String(retryAfter) },
      });
    }
    this.freeAtMs = nowMs + seconds * 1_000;
    return () => (this.freeAtMs = null);
  }
}
