import type { HealthReport } from '../../lifecycle/readiness.js';
import { byLabel, gauge, type Metric } from '../metrics/metric.js';

/** Whether the replica takes work, and what keeps it from it. */
export const readinessMetrics: readonly Metric<HealthReport>[] = [
  gauge('mu_ready', '1 while this replica takes new work, as /readyz answers.', ({ status }) =>
    status === 'ok' ? 1 : 0,
  ),
  {
    name: 'mu_ready_check',
    help: 'The same by what has to be up for it: 1 is up.',
    type: 'gauge',
    labelNames: ['check'],
    values: ({ checks }) =>
      byLabel(
        'check',
        Object.fromEntries(Object.entries(checks).map(([name, { status }]) => [name, status === 'up' ? 1 : 0])),
      ),
  },
];
