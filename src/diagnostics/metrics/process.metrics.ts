import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import { byLabel, gauge, type Metric } from './metric.js';

/** What `process` and `cpu` of the summary have read. */
export interface ProcessReading {
  process: DiagnosticsSection<'process'>;
  cpu: DiagnosticsSection<'cpu'>;
}

/** Start and processor time. */
export const processMetrics: readonly Metric<ProcessReading>[] = [
  gauge('mu_process_start_time_seconds', 'When the process started, since the epoch.', ({ process }) => {
    return process.startedAt / 1_000;
  }),
  gauge('mu_process_cpu_count', 'Cores this process may use.', ({ process }) => process.cpuCount),
  {
    name: 'mu_process_cpu_seconds_total',
    help: 'Processor time by mode, all threads.',
    type: 'counter',
    labelNames: ['mode'],
    values: ({ cpu }) => byLabel('mode', { user: cpu.userMs / 1_000, system: cpu.systemMs / 1_000 }),
  },
];
