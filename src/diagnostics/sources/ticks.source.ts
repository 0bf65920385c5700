/*
 * sources.ticks: how late this replica claimed ticks since its start, by the clock of Redis. Ticks of one schedule that are claimed
 * together count as one, by the latest of them.
 *
 * field         type    unit   source
 * claimedCount  int     count  Lateness: ticks claimed
 * lateCount     int     count  of them, later than LATE_AFTER_MS
 * latenessMs    number  ms     how late they were, added up
 * p50Ms         number  ms     half of them were not later
 * p99Ms         number  ms     99 % of them were not later
 *
 * Cost: a few µs.
 */
import { Inject, Injectable } from '@nestjs/common';
import { Lateness } from '../../schedules/lateness.js';
import type { DiagnosticsSource } from '../diagnostics-source.js';
import { ticksMetrics, type TicksReading } from './ticks.metrics.js';

@Injectable()
export class TicksSource implements DiagnosticsSource<TicksReading> {
  readonly name = 'ticks';
  readonly metrics = ticksMetrics;

  constructor(@Inject(Lateness) private readonly lateness: Lateness) {}

  read(): TicksReading {
    const { count, lateCount, totalMs } = this.lateness.totals();
    const { p50Ms, p99Ms } = this.lateness.read();
    return { claimedCount: count, lateCount, latenessMs: totalMs, p50Ms, p99Ms };
  }
}
