import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { Injectable } from '@nestjs/common';

/** How late ticks were claimed by this replica since its start; a fixed amount of memory however many there were. */
@Injectable()
export class Lateness {
  private readonly histogram: RecordableHistogram = createHistogram({ lowest: 1, highest: 3_600_000, figures: 3 });
  private lateCount = 0;
  private totalMs = 0;

  /**
   * @param latenessMs ms between when a tick was due and when it was claimed, by Redis' clock
   * @param isLate whether that is told as late
   */
  record(latenessMs: number, isLate: boolean): void {
    if (isLate) this.lateCount += 1;
    this.totalMs += latenessMs;
    // The histogram begins at 1; what was in time is 0.
    this.histogram.record(Math.min(3_600_000, Math.max(1, Math.round(latenessMs) + 1)));
  }

  /** Sums since the start, of which differences over any stretch of time can be told. */
  totals(): { count: number; lateCount: number; totalMs: number } {
    return { count: Number(this.histogram.count), lateCount: this.lateCount, totalMs: this.totalMs };
  }

  read(): { count: number; p50Ms: number; p99Ms: number } {
    const { histogram } = this;
    const count = Number(histogram.count);
    if (count === 0) return { count: 0, p50Ms: 0, p99Ms: 0 };
    return { count, p50Ms: histogram.percentile(50) - 1, p99Ms: histogram.percentile(99) - 1 };
  }
}
