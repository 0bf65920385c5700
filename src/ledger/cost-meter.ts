/** What the ledger has spent, by its own clock. */
export class CostMeter {
  captureCount = 0;
  captureMs = 0;
  tickMs = 0;
  /** Share of one core in the last window. */
  share = 0;

  private windowStartMs: number;
  private spentAtWindowMs = 0;
  private eventsAtWindow = 0;

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
   * @param eventCount creations and ends counted since the start; each is charged `EVENT_NS`
   * @returns whether a window was closed
   */
  closeWindow(nowMs: number, windowMs: number, eventCount: number): boolean {
    const elapsedMs = nowMs - this.windowStartMs;
    if (elapsedMs < windowMs) return false;
    const spentMs = this.captureMs + this.tickMs;
    const countingMs = ((eventCount - this.eventsAtWindow) * EVENT_NS) / 1e6;
    this.share = (spentMs - this.spentAtWindowMs + countingMs) / elapsedMs;
    this.windowStartMs = nowMs;
    this.spentAtWindowMs = spentMs;
    this.eventsAtWindow = eventCount;
    return true;
  }
}

/** CPU of counting one creation or end without a capture: too short to be timed where it happens. */
export const EVENT_NS = 120;
