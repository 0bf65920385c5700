import type { RecorderStatus } from '../../contract/recorder.schema.js';
import { byLabel, type Metric } from './metric.js';

/** Records that outlive the process, and those that were to. */
export const recorderMetrics: readonly Metric<RecorderStatus>[] = [
  {
    name: 'mu_recorder_written_total',
    help: 'Records kept where they outlive the process.',
    type: 'counter',
    labelNames: ['to'],
    values: ({ file, copy }) => byLabel('to', { file: file?.writtenCount ?? null, redis: copy?.writtenCount ?? null }),
  },
  {
    name: 'mu_recorder_dropped_total',
    help: 'Records that could not be kept there.',
    type: 'counter',
    labelNames: ['to'],
    values: ({ file, copy }) => byLabel('to', { file: file?.droppedCount ?? null, redis: copy?.droppedCount ?? null }),
  },
];
