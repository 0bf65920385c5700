import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/** `detail` is missing in the types of Node 20. */
type GcEntry = PerformanceEntry & { detail: { kind: number } };

/** What of the heap is not garbage: its least use between two looks, and its use after full collections. */
export class HeapFloor {
  private observer: PerformanceObserver | null = null;
  private least = Infinity;
  private collectedBytes: number | null = null;
  private externalCollectedBytes: number | null = null;
  private collections = 0;

  start(): void {
    this.observer = new PerformanceObserver((list) => this.see(list.getEntries()));
    this.observer.observe({ entryTypes: ['gc'] });
  }

  stop(): void {
    this.observer?.disconnect();
    this.observer = null;
  }

  /** To be called about once a second. Costs 2 µs. */
  look(): void {
    this.least = Math.min(this.least, getHeapStatistics().used_heap_size);
  }

  /** Ends a stretch of looks. */
  take() {
    this.look();
    const heapFloorBytes = this.least;
    this.least = Infinity;
    return {
      heapFloorBytes,
      heapCollectedBytes: this.collectedBytes,
      externalCollectedBytes: this.externalCollectedBytes,
      collections: this.collections,
    };
  }

  /** Comes a turn of the loop after the collection: what was allocated in it is in the figure. */
  private see(entries: PerformanceEntry[]): void {
    const full = (entries as GcEntry[]).filter(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR);
    if (full.length === 0) return;
    const { used_heap_size: used, external_memory: external } = getHeapStatistics();
    this.collections += full.length;
    this.collectedBytes = used;
    this.externalCollectedBytes = external;
    this.least = Math.min(this.least, used);
  }
}
