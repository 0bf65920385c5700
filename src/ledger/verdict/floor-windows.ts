import { parameters } from './verdict-parameters.js';
import { trendOf, type Trend } from './robust-trend.js';

/** Least value per window of time, for the last few windows of one length. */
export class FloorWindows {
  private readonly closed: number[] = [];
  private readonly falls: number[] = [];
  private index = -1;
  private least = Infinity;
  private fall = 0;
  private before = 0;

  constructor(readonly lengthMs: number) {}

  get count(): number {
    return this.closed.length;
  }

  /** @returns whether a window was closed by it */
  push(atMs: number, value: number): boolean {
    const index = Math.floor(atMs / this.lengthMs);
    const closes = this.index >= 0 && index !== this.index;
    if (closes) {
      // A window nobody looked in (a blocked loop, a stopped process) ends the series: what it hid is unknown.
      if (index !== this.index + 1) this.empty();
      this.closed.push(this.least);
      this.falls.push(this.fall);
      if (this.closed.length > parameters.windowsKept) {
        this.closed.shift();
        this.falls.shift();
      }
      this.least = Infinity;
      this.fall = 0;
    }
    this.index = index;
    this.least = Math.min(this.least, value);
    this.fall += Math.max(0, this.before - value);
    this.before = value;
    return closes;
  }

  restart(): void {
    this.empty();
    this.index = -1;
    this.least = Infinity;
  }

  /** Per millisecond; null while too few windows have closed. */
  trend(): Trend | null {
    if (this.closed.length < parameters.windowsNeeded) return null;
    return trendOf(
      this.closed.map((_, index) => index * this.lengthMs),
      this.closed,
    );
  }

  /** Of the windows that closed, oldest first. */
  get values(): readonly number[] {
    return this.closed;
  }

  /** Of the last window that closed. */
  get level(): number {
    return this.closed[this.closed.length - 1] ?? 0;
  }

  /** How much went away again from one value to the next, in all windows that closed. */
  get fallen(): number {
    return this.falls.reduce((sum, fall) => sum + fall, 0);
  }

  private empty(): void {
    this.closed.length = 0;
    this.falls.length = 0;
    this.fall = 0;
    this.before = 0;
  }
}

/** Whether a trend passes every gate: monotone, large enough, not slowing down, straight. */
export function isSteadyGrowth(trend: Trend, leastGrowth: number): boolean {
  return (
    trend.tau >= parameters.tau &&
    trend.growth >= leastGrowth &&
    trend.laterHalf >= parameters.laterHalf &&
    trend.misfit <= parameters.misfit
  );
}
