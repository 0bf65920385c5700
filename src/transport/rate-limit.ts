/** So much of a second's turns may be used at once. */
const BURST_MS = 200;
/** Turns are given out in portions of so many ms, so that a peer at its limit wakes us a hundred times a second at most. */
const PORTION_MS = 10;

/** Turns that come back with time: so many a second, and a fifth of that at once. */
export class RateLimit {
  private turns: number;
  private countedAt: number;

  /** @param perSecond 0: as many as one likes @param now monotonic ms */
  constructor(
    private readonly perSecond: number,
    now: number,
  ) {
    this.turns = this.most;
    this.countedAt = now;
  }

  /** How many ms to wait until there is a turn; 0: there is one. */
  waitMs(now: number): number {
    if (this.perSecond === 0 || this.turns >= 1) return 0;
    this.turns = Math.min(this.most, this.turns + ((now - this.countedAt) * this.perSecond) / 1_000);
    this.countedAt = now;
    if (this.turns >= 1) return 0;
    return Math.max(PORTION_MS, Math.ceil(((1 - this.turns) * 1_000) / this.perSecond));
  }

  /** Takes a turn. */
  take(): void {
    this.turns--;
  }

  private get most(): number {
    return Math.max(1, (this.perSecond * BURST_MS) / 1_000);
  }
}
