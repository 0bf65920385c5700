/*
 * heap: V8's heap of the main thread.
 *
 * field                  type  unit   source
 * usedBytes              int   bytes  v8.getHeapStatistics().used_heap_size: live objects and garbage not yet collected
 * totalBytes             int   bytes  total_heap_size: reserved from the system
 * physicalBytes          int   bytes  total_physical_size: of that, really committed
 * limitBytes             int   bytes  heap_size_limit: at this size the process ends (--max-old-space-size and the young generation)
 * usedRatio              num   0…1    usedBytes / limitBytes
 * availableBytes         int   bytes  total_available_size: what may still be allocated
 * mallocedBytes          int   bytes  malloced_memory: taken by V8 itself outside the heap
 * peakMallocedBytes      int   bytes  peak_malloced_memory: highest value of it
 * nativeContextsCount    int   count  number_of_native_contexts: vm contexts alive; one that only grows is a leak
 * detachedContextsCount  int   count  number_of_detached_contexts: closed but still referenced; above 0 for long is a leak
 *
 * Cost: under 1 µs a read.
 */
import { getHeapStatistics } from 'node:v8';
import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import type { Measurement } from '../measurement.js';
import { rounded } from '../rounding.js';

export class HeapMeasurement implements Measurement<DiagnosticsSection<'heap'>> {
  readonly name = 'heap';

  read(): DiagnosticsSection<'heap'> {
    const heap = getHeapStatistics();
    return {
      usedBytes: heap.used_heap_size,
      totalBytes: heap.total_heap_size,
      physicalBytes: heap.total_physical_size,
      limitBytes: heap.heap_size_limit,
      usedRatio: rounded(heap.used_heap_size / heap.heap_size_limit),
      availableBytes: heap.total_available_size,
      mallocedBytes: heap.malloced_memory,
      peakMallocedBytes: heap.peak_malloced_memory,
      nativeContextsCount: heap.number_of_native_contexts,
      detachedContextsCount: heap.number_of_detached_contexts,
    };
  }
}
