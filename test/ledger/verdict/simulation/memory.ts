import type { ProcessReading } from '../../../../src/ledger/verdict/detector-sample';
import type { SeededRandom } from '../../../guarantees/seeded-random';

const MIB = 2 ** 20;

/** What a process holds over time, in MiB at so many seconds since the start. */
export interface MemoryShape {
  /** What of the heap is held. Default 20. */
  heap?(seconds: number): number;
  /** Garbage per second that only a full collection frees. Default 0.5. */
  garbage?(seconds: number): number;
  /** Default 2. */
  external?(seconds: number): number;
  /** Beside heap and external memory: code, allocator, stacks. Default 45. */
  native?(seconds: number): number;
  /** Descriptors that no line accounts for. */
  fds?(seconds: number): number;
}

const level = (amount: number) => (): number => amount;

/** A heap with garbage, full collections when there is too much of it, and figures that wander as those of V8 do. */
export class SimulatedMemory {
  private garbage = 0;
  private floor = 0;
  private collected: { heap: number; external: number } | null = null;
  private collections = 0;

  constructor(
    private readonly shape: MemoryShape,
    private readonly random: SeededRandom,
  ) {}

  /** Lets the time from `fromMs` to `toMs` pass, looking once a second. */
  pass(fromMs: number, toMs: number): void {
    const { heap = level(20), garbage = level(0.5), external = level(2) } = this.shape;
    this.floor = Infinity;
    for (let atMs = fromMs + 1_000; atMs <= toMs; atMs += 1_000) {
      const seconds = atMs / 1_000;
      this.garbage += garbage(seconds) * (0.5 + this.random.next());
      const held = heap(seconds);
      // V8 collects when the heap has grown by about half since the last time, and never for less than some MiB.
      const before = this.collected?.heap ?? heap(0);
      if (held + this.garbage > before + Math.max(8, before / 2)) {
        // What was allocated while it marked stays until the next.
        this.garbage = 0.6 * this.random.next();
        this.collections++;
        this.collected = { heap: held + this.garbage, external: external(seconds) };
      }
      this.floor = Math.min(this.floor, held + this.garbage);
    }
  }

  reading(atMs: number, inbound: number): ProcessReading {
    const { external = level(2), native = level(45), fds, heap = level(20) } = this.shape;
    const seconds = atMs / 1_000;
    const heapTotal = heap(seconds) + Math.max(8, heap(seconds) / 2) + 4;
    const outside = external(seconds);
    const rss = (heapTotal + outside + native(seconds) + 1.5 * this.random.next()) * MIB;
    return {
      heapFloorBytes: (Number.isFinite(this.floor) ? this.floor : heap(seconds)) * MIB,
      heapCollectedBytes: this.collected && this.collected.heap * MIB,
      externalCollectedBytes: this.collected && this.collected.external * MIB,
      collections: this.collections,
      heapTotalBytes: heapTotal * MIB,
      externalBytes: outside * MIB,
      rssBytes: rss,
      chargedBytes: rss,
      openFds: fds ? 20 + Math.round(fds(seconds)) : null,
      knownFds: 20,
      inbound,
    };
  }
}
