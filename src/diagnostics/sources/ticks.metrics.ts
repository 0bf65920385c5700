import { counter, type Metric } from '../metrics/metric.js';

/** What `ticks` of the sources answers. */
export interface TicksReading {
  claimedCount: number;
  lateCount: number;
  latenessMs: number;
  p50Ms: number;
  p99Ms: number;
}

/** How late this replica claimed ticks. Sums, so that a query tells it of any stretch of time. */
export const ticksMetrics: readonly Metric<TicksReading>[] = [
  counter('mu_ticks_total', 'Ticks claimed.', ({ claimedCount }) => claimedCount),
  counter('mu_ticks_late_total', 'Of them, later than LATE_AFTER_MS.', ({ lateCount }) => lateCount),
  counter('mu_tick_lateness_seconds_total', 'How late they were, added up.', ({ latenessMs }) => latenessMs / 1_000),
];
