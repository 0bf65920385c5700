import type { HistorySample } from '../../contract/recorder.schema.js';
import { mergedBySteps, mergedSample } from './merged-sample.js';

/**
 * Samples of any number of hours in a bounded number: neighbours are merged to the step, and when there are too many of them
 * to one twice as long.
 */
export class BoundedSeries {
  private merged: HistorySample[] = [];

  constructor(
    private readonly maxCount: number,
    private stepMs: number,
  ) {}

  /** Later than all before. */
  add(sample: HistorySample): void {
    const last = this.merged.at(-1);
    if (last !== undefined && last.intervalMs < this.stepMs) {
      this.merged[this.merged.length - 1] = mergedSample(last, sample);
      return;
    }
    this.merged.push(sample);
    while (this.merged.length > this.maxCount) {
      this.stepMs *= 2;
      this.merged = mergedBySteps(this.merged, this.stepMs);
    }
  }

  /** Oldest first. */
  get samples(): HistorySample[] {
    return this.merged;
  }
}
