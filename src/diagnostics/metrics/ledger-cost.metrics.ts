import type { LedgerCounts } from '../../ledger/index.js';
import { byLabel, counter, gauge, type Metric } from './metric.js';

/** What the ledger itself costs. */
export const ledgerCostMetrics: readonly Metric<LedgerCounts>[] = [
  gauge('mu_ledger_running', '1 while the ledger counts.', ({ ledger }) => (ledger.running ? 1 : 0)),
  {
    name: 'mu_ledger_cost_seconds_total',
    help: 'Processor time of the ledger by its own measure.',
    type: 'counter',
    labelNames: ['part'],
    values: ({ ledger: { costMs } }) => byLabel('part', { capture: costMs.capture / 1_000, tick: costMs.tick / 1_000 }),
  },
  gauge('mu_ledger_cost_ratio', 'Share of one core in the last 5 s.', ({ ledger }) => ledger.costShare),
  gauge('mu_ledger_memory_bytes', 'What its tables hold, estimated.', ({ ledger }) => ledger.memoryBytes),
  gauge(
    'mu_ledger_captures_per_second',
    'Stacks per second and kind it allows itself now; below its setting while it is over its budget.',
    ({ ledger }) => ledger.capturesPerSecond,
  ),
  gauge('mu_ledger_groups', 'Places it knows.', ({ ledger }) => ledger.groupsCount),
  gauge('mu_ledger_samples', 'Resources it watches one by one.', ({ ledger }) => ledger.samplesCount),
  counter('mu_ledger_captures_total', 'Stacks taken.', ({ ledger }) => ledger.capturesCount),
  counter('mu_ledger_failures_total', 'Failures inside its own hooks.', ({ ledger }) => ledger.failuresCount),
];
