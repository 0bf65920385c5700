/** What the ledger has spent, by its own clock. */
export class CostMeter {
  captureCount = 0;
  captureMs = 0;
  tickMs = 0;
  /** Share of one core in the last window. */
  share = 0;

  private windowStartMs: number;
  private spentAtWindowMs = 0;
  private countingNsAtWindow = 0;

  constructor(nowMs: number) {
    this.windowStartMs = nowMs;
  }

  captured(elapsedMs: number): void {
    this.captureCount++;
    this.captureMs += elapsedMs;
  }

  ticked(elapsedMs: number): void {
    this.tickMs += elapsedMs;
  }

  /**
   * Closes the window once it is `windowMs` long.
   * @param countingNs what counting without a capture has cost since the start: too short to be timed where it happens
   * @returns whether a window was closed
   */
  closeWindow(nowMs: number, windowMs: number, countingNs: number): boolean {
    const elapsedMs = nowMs - this.windowStartMs;
    if (elapsedMs < windowMs) return false;
    const spentMs = this.captureMs + this.tickMs;
    const countingMs = (countingNs - this.countingNsAtWindow) / 1e6;
    this.share = (spentMs - this.spentAtWindowMs + countingMs) / elapsedMs;
    this.windowStartMs = nowMs;
    this.spentAtWindowMs = spentMs;
    this.countingNsAtWindow = countingNs;
    return true;
  }
}
