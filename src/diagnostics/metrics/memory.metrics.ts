import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import { byLabel, gauge, type Metric } from './metric.js';

/** What `memory` and `heap` of the summary have read. */
export interface MemoryReading {
  memory: DiagnosticsSection<'memory'>;
  heap: DiagnosticsSection<'heap'>;
}

/** The process in the eyes of the kernel, and what its resident memory is made of. */
export const memoryMetrics: readonly Metric<MemoryReading>[] = [
  gauge('mu_memory_rss_bytes', 'Resident memory of the process.', ({ memory }) => memory.rssBytes),
  gauge('mu_memory_peak_rss_bytes', 'Highest resident memory since the start.', ({ memory }) => memory.peakRssBytes),
  gauge('mu_memory_limit_bytes', 'Limit of the cgroup; absent without one.', ({ memory }) => memory.limitBytes),
  gauge('mu_memory_available_bytes', 'What may still be taken.', ({ memory }) => memory.availableBytes),
  {
    name: 'mu_memory_part_bytes',
    help: 'Resident memory by what holds it: V8 heap, array buffers, other memory of JS objects, and the native remainder (code, stacks, allocator).',
    type: 'gauge',
    labelNames: ['part'],
    values: ({ memory, heap }) => {
      const { rssBytes, externalBytes, arrayBuffersBytes } = memory;
      return byLabel('part', {
        heap: heap.physicalBytes,
        array_buffers: arrayBuffersBytes,
        external: Math.max(0, externalBytes - arrayBuffersBytes),
        native: Math.max(0, rssBytes - heap.physicalBytes - externalBytes),
      });
    },
  },
];
