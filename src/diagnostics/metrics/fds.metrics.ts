import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import { gauge, type Metric } from './metric.js';

/** File descriptors; absent without /proc. */
export const fdMetrics: readonly Metric<DiagnosticsSection<'openFds'>>[] = [
  gauge('mu_open_fds', 'Open file descriptors.', ({ openCount }) => openCount),
  gauge('mu_open_fds_limit', 'How many may be open at once.', ({ limitCount }) => limitCount),
];
