import { type Trend, trendOf } from './robust-trend.js';
import { parameters } from './verdict-parameters.js';

/** How many were made per millisecond in the last few stretches of one length. */
export class PaceWindows {
  private readonly endsMs: number[] = [];
  private readonly paces: number[] = [];
  private from: { atMs: number; opened: number } | null = null;

  constructor(private readonly lengthMs: number) {}

  /** @param opened so far */
  push(atMs: number, opened: number): void {
    this.from ??= { atMs, opened };
    const elapsedMs = atMs - this.from.atMs;
    if (elapsedMs < this.lengthMs) return;
    this.endsMs.push(atMs);
    this.paces.push((opened - this.from.opened) / elapsedMs);
    this.from = { atMs, opened };
    if (this.paces.length <= parameters.windowsKept) return;
    this.endsMs.shift();
    this.paces.shift();
  }

  /** What they span together. */
  get spanMs(): number {
    return this.paces.length * this.lengthMs;
  }

  /** Of the last stretch that ended, 0 before the first. */
  get last(): number {
    return this.paces[this.paces.length - 1] ?? 0;
  }

  /** Per millisecond; null while too few stretches have ended. */
  trend(): Trend | null {
    return this.paces.length < parameters.windowsNeeded ? null : trendOf(this.endsMs, this.paces);
  }
}
