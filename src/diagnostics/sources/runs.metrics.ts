import { counter, gauge, type Metric } from '../metrics/metric.js';

/** What `runs` of the sources answers. */
export interface RunsReading {
  dispatchedCount: number;
  dispatchedPerSecond: number;
  failedCount: number;
  withoutAgentCount: number;
  repairsCount: number;
  takeoversCount: number;
  waitingHereCount: number;
}

/** What this replica does with runs. */
export const runsMetrics: readonly Metric<RunsReading>[] = [
  counter('mu_runs_dispatched_total', 'Attempts handed to an agent.', ({ dispatchedCount }) => dispatchedCount),
  counter('mu_runs_failed_total', 'Runs that failed for good or timed out.', ({ failedCount }) => failedCount),
  counter(
    'mu_runs_without_agent_total',
    'Times that a run looked for an agent that could take it, and found none.',
    ({ withoutAgentCount }) => withoutAgentCount,
  ),
  counter('mu_runs_repaired_total', 'Runs and due times that were lost and brought back.', (read) => read.repairsCount),
  gauge('mu_runs_waiting_here', 'Runs that wait for a place of this replica.', (read) => read.waitingHereCount),
];
