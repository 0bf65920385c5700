import { getHeapStatistics } from 'node:v8';

/** Resident memory by what holds it. */
export interface RssSplit {
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
  /** What is left: native code, allocator, stacks, code pages. */
  readonly nativeBytes: number;
}

/** Without a free descriptor, when the resident size cannot be read: as it was at the last read, 0 before the first. */
let lastRssBytes = 0;

/** Never throws: whoever watches a process that runs out of descriptors is asked just then. */
export function rssSplit(): RssSplit {
  const { rss, heapTotal, external } = memoryUsage();
  const heapBytes = Math.min(rss, heapTotal);
  const externalBytes = Math.min(rss - heapBytes, external);
  return { rssBytes: rss, heapBytes, externalBytes, nativeBytes: rss - heapBytes - externalBytes };
}

function memoryUsage(): Pick<NodeJS.MemoryUsage, 'rss' | 'heapTotal' | 'external'> {
  try {
    const usage = process.memoryUsage();
    lastRssBytes = usage.rss;
    return usage;
  } catch {
    const { total_heap_size: heapTotal, external_memory: external } = getHeapStatistics();
    return { rss: Math.max(lastRssBytes, heapTotal + external), heapTotal, external };
  }
}
