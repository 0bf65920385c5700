import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import { byLabel, gauge, type Metric } from './metric.js';

/** What `heap` and `heapSpaces` of the summary have read. */
export interface HeapReading {
  heap: DiagnosticsSection<'heap'>;
  heapSpaces: DiagnosticsSection<'heapSpaces'>;
}

/** The heap of V8. */
export const heapMetrics: readonly Metric<HeapReading>[] = [
  gauge('mu_heap_used_bytes', 'Live objects and garbage not yet collected.', ({ heap }) => heap.usedBytes),
  gauge('mu_heap_total_bytes', 'Reserved from the system.', ({ heap }) => heap.totalBytes),
  gauge('mu_heap_limit_bytes', 'At this size the process ends.', ({ heap }) => heap.limitBytes),
  gauge('mu_heap_malloced_bytes', 'Taken by V8 outside the heap.', ({ heap }) => heap.mallocedBytes),
  gauge(
    'mu_heap_detached_contexts',
    'Contexts closed but still referenced; above 0 for long is a leak.',
    ({ heap }) => heap.detachedContextsCount,
  ),
  {
    name: 'mu_heap_space_used_bytes',
    help: 'Used bytes by space of the heap.',
    type: 'gauge',
    labelNames: ['space'],
    values: ({ heapSpaces }) =>
      byLabel(
        'space',
        Object.fromEntries(Object.entries(heapSpaces).map(([name, { usedBytes }]) => [name, usedBytes])),
      ),
  },
];
