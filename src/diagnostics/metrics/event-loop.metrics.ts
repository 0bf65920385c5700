import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import { byLabel, gauge, type Metric } from './metric.js';

/** What the event loop sections of the summary have read: both look back 10 s at least. */
export interface EventLoopReading {
  delay: DiagnosticsSection<'eventLoopDelay'>;
  utilization: DiagnosticsSection<'eventLoopUtilization'>;
}

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1_000);

/** How late the event loop comes back, and how much of its time it works. */
export const eventLoopMetrics: readonly Metric<EventLoopReading>[] = [
  {
    name: 'mu_event_loop_delay_seconds',
    help: 'How late the event loop came back, over the last 10 s or more.',
    type: 'gauge',
    labelNames: ['stat'],
    values: ({ delay: { meanMs, p50Ms, p99Ms, maxMs } }) =>
      byLabel('stat', { mean: seconds(meanMs), p50: seconds(p50Ms), p99: seconds(p99Ms), max: seconds(maxMs) }),
  },
  gauge(
    'mu_event_loop_utilization_ratio',
    'Share of time in code of this process, over the last 10 s or more; 1 is a loop that never waits.',
    ({ utilization }) => utilization.utilizationRatio,
  ),
];
