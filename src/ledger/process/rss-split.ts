import { memoryUsage } from './memory-usage.js';

/** Resident memory by what holds it. */
export interface RssSplit {
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
  /** What is left: native code, allocator, stacks, code pages. */
  readonly nativeBytes: number;
}

/** Never throws. */
export function rssSplit(): RssSplit {
  const { rss, heapTotal, external } = memoryUsage();
  const heapBytes = Math.min(rss, heapTotal);
  const externalBytes = Math.min(rss - heapBytes, external);
  return { rssBytes: rss, heapBytes, externalBytes, nativeBytes: rss - heapBytes - externalBytes };
}
