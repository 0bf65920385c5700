import type { Moment } from './moment.js';
import { parameters } from './verdict-parameters.js';

/**
 * Notices when more work begins than was ever done at a time: by several times, so that it happens a few times in the life of
 * a process. What is first needed under that load (code, buffers, connections) fills then, and is no leak yet.
 */
export class WorkOnset {
  private from: Moment | null = null;
  /** The highest pace so far, per millisecond and unit. */
  private readonly highest: number[] = [];
  private lastMs: number | null = null;

  /** When it last began, in milliseconds on the clock of the moments; null: never. */
  get atMs(): number | null {
    return this.lastMs;
  }

  take(moment: Moment): void {
    const from = (this.from ??= moment);
    const elapsedMs = moment.atMs - from.atMs;
    // Ticks come a few milliseconds early or late.
    if (elapsedMs < 0.9 * parameters.baseWindowMs) return;
    this.from = moment;
    for (let unit = 0; unit < moment.work.length; unit++) {
      const work = moment.work[unit]! - (from.work[unit] ?? 0);
      const pace = work / elapsedMs;
      const highest = this.highest[unit] ?? 0;
      if (work >= parameters.tiedWork && pace > parameters.onsetFactor * highest) this.lastMs = from.atMs;
      this.highest[unit] = Math.max(highest, pace);
    }
  }
}
