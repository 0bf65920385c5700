import { getHeapStatistics } from 'node:v8';
import { bornOld } from '../heap/major-collections.js';

/** What of the heap is not garbage: its least use between two looks, and its use after full collections. */
export class HeapFloor {
  /**
   * Tells of a full collection by what it took. A PerformanceObserver would be told of the young generation's as well, many a
   * second under load, and cost 0.1 ms of CPU each time.
   */
  private registry: FinalizationRegistry<undefined> | null = null;
  private least = Infinity;
  private collectedBytes: number | null = null;
  private externalCollectedBytes: number | null = null;
  private collections = 0;

  start(): void {
    const registry = new FinalizationRegistry<undefined>(() => this.collected(registry));
    registry.register(bornOld(), undefined);
    this.registry = registry;
  }

  stop(): void {
    this.registry = null;
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
  private collected(registry: FinalizationRegistry<undefined>): void {
    if (registry !== this.registry) return;
    registry.register(bornOld(), undefined);
    const { used_heap_size: used, external_memory: external } = getHeapStatistics();
    this.collections++;
    this.collectedBytes = used;
    this.externalCollectedBytes = external;
    this.least = Math.min(this.least, used);
  }
}
