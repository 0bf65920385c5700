import { Injectable } from '@nestjs/common';

/** Length of the window over which `perSecond` is told. */
const WINDOW_SECONDS = 60;

/** How many runs this replica has dispatched, in all and per second over the last minute. */
@Injectable()
export class DispatchStats {
  private totalCount = 0;
  private failedCount = 0;
  private withoutAgentCount = 0;
  private repairsCount = 0;
  private takeoversCount = 0;
  private readonly perSecond = new Uint32Array(WINDOW_SECONDS);
  private lastSecond = currentSecond();

  dispatched(): void {
    this.totalCount += 1;
    this.advance();
    this.perSecond[this.lastSecond % WINDOW_SECONDS] += 1;
  }

  failed(): void {
    this.failedCount += 1;
  }

  /** A run looked for an agent that could take it, and found none. */
  foundNoAgent(): void {
    this.withoutAgentCount += 1;
  }

  /**
   * A run that was lost was handed over again.
   * @param wasRunning it was under way at a replica that is gone
   */
  repaired(wasRunning: boolean): void {
    this.repairsCount += 1;
    if (wasRunning) this.takeoversCount += 1;
  }

  read(): {
    totalCount: number;
    failedCount: number;
    withoutAgentCount: number;
    perSecond: number;
    repairsCount: number;
    takeoversCount: number;
  } {
    this.advance();
    const inWindow = this.perSecond.reduce((sum, count) => sum + count, 0);
    return {
      totalCount: this.totalCount,
      failedCount: this.failedCount,
      withoutAgentCount: this.withoutAgentCount,
      perSecond: Math.round((inWindow / WINDOW_SECONDS) * 100) / 100,
      repairsCount: this.repairsCount,
      takeoversCount: this.takeoversCount,
    };
  }

  private advance(): void {
    const second = currentSecond();
    const passed = Math.min(second - this.lastSecond, WINDOW_SECONDS);
    for (let offset = 1; offset <= passed; offset += 1) this.perSecond[(this.lastSecond + offset) % WINDOW_SECONDS] = 0;
    this.lastSecond = second;
  }
}

function currentSecond(): number {
  return Math.floor(performance.now() / 1_000);
}
