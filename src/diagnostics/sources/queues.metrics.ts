import type { EngineCounts } from '../../runs/engine.js';
import type { Overdue } from '../../runs/due-loop.js';
import { byLabel, gauge, type Metric } from '../metrics/metric.js';

/** What all replicas together have before them: each of them tells the same. */
export const queuesMetrics: readonly Metric<EngineCounts & Overdue>[] = [
  {
    name: 'mu_queue_runs',
    help: 'Runs in the engine by state, of all replicas together.',
    type: 'gauge',
    labelNames: ['state'],
    values: ({ waitingCount, activeCount, delayedCount }) =>
      byLabel('state', { waiting: waitingCount, active: activeCount, delayed: delayedCount }),
  },
  gauge(
    'mu_overdue',
    'Ticks and runs that have come due and that no replica has claimed.',
    (read) => read.overdueCount,
  ),
  gauge('mu_overdue_seconds', 'For how long the first of them has been due.', ({ overdueMs }) => overdueMs / 1_000),
];
