import { getHeapStatistics } from 'node:v8';

/** Without a free descriptor, when they cannot be read: as at the last read, 0 before the first. */
const last = { rss: 0, arrayBuffers: 0 };

/**
 * What `process.memoryUsage()` tells, in bytes. Never throws: that one reads /proc, and whoever watches a process that runs out of
 * descriptors is asked just then. The figures of V8 are those of now in any case.
 */
export function memoryUsage(): NodeJS.MemoryUsage {
  try {
    const usage = process.memoryUsage();
    last.rss = usage.rss;
    last.arrayBuffers = usage.arrayBuffers;
    return usage;
  } catch {
    const heap = getHeapStatistics();
    const { total_heap_size: heapTotal, used_heap_size: heapUsed, external_memory: external } = heap;
    const rss = Math.max(last.rss, heapTotal + external);
    return { rss, heapTotal, heapUsed, external, arrayBuffers: Math.min(last.arrayBuffers, external) };
  }
}

/** Its resident size alone, which costs less. Never throws. */
export function residentBytes(): number {
  try {
    return (last.rss = process.memoryUsage.rss());
  } catch {
    return memoryUsage().rss;
  }
}
