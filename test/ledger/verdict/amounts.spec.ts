import { DeclaredCeilings } from '../../../src/ledger/verdict/declared-ceilings';
import { LeakDetector } from '../../../src/ledger/verdict/leak-detector';
import type { Finding } from '../../../src/ledger/verdict/finding';
import { SeededRandom } from '../../guarantees/seeded-random';
import { type MemoryShape, SimulatedMemory } from './simulation/memory';
import { Population, type PopulationShape } from './simulation/population';

const TICK_MS = 5_000;
const MIB = 2 ** 20;

/** Feeds a detector for so many minutes, and returns what it finds of each subject at the end. */
function watched(
  minutes: number,
  {
    memory = {},
    line = { streams: [] },
    limitMiB = null,
    ceilings = new DeclaredCeilings(),
  }: {
    memory?: MemoryShape;
    line?: PopulationShape;
    limitMiB?: number | null;
    ceilings?: DeclaredCeilings;
  },
): Record<string, Finding> {
  const random = new SeededRandom(7);
  const simulated = new SimulatedMemory(memory, random.fork());
  const population = new Population(line, random.fork());
  const detector = new LeakDetector(ceilings);
  for (let atMs = 0; atMs <= minutes * 60_000; atMs += TICK_MS) {
    if (atMs > 0) {
      simulated.pass(atMs - TICK_MS, atMs);
      population.pass(atMs - TICK_MS, atMs, 0);
    }
    detector.take({
      atMs,
      groups: population.live >= 2 ? [population.reading('line', atMs, detector.gateMs('line'))] : [],
      process: simulated.reading(atMs, 0),
      work: [],
      limits: { memoryBytes: limitMiB && limitMiB * MIB, heapBytes: null, fds: null },
    });
  }
  return Object.fromEntries(detector.findings().map((finding) => [finding.id, finding]));
}

describe('memory that grows', () => {
  it('only beside heap, external memory and all counts is kept by the allocator, and no leak', () => {
    const { native } = watched(60, { memory: { native: (s) => 45 + s / 50 } });
    expect(native).toMatchObject({ state: 'not-leaking', cause: 'allocator' });
    expect(native.reasons.join()).toContain('the allocator keeps it');
  });

  it('natively together with the heap is part of that', () => {
    const { native, heap } = watched(60, { memory: { native: (s) => 45 + s / 50, heap: (s) => 20 + s / 10 } });
    expect(heap.state).toBe('leaking');
    expect(native.cause).toBeUndefined();
    expect(native.partOf).toBe('heap');
  });

  it('in the heap, a little with each thing that leaks, goes with the line of those', () => {
    const { heap, line } = watched(30, {
      memory: { heap: (s) => 20 + s / 100 },
      line: { nature: 'few', streams: [{ rate: () => 1 }] },
    });
    expect(line.state).toBe('leaking');
    expect(heap.partOf).toBe('line');
  });

  it('meets its limit when the slope says, and within the interval told', () => {
    const minutes = 20;
    const { heap } = watched(minutes, { memory: { heap: (s) => 20 + s / 20 }, limitMiB: 400 });
    const { limit } = heap;
    expect(limit).toMatchObject({ name: 'cgroup memory', bytes: 400 * MIB });
    // The heap has half as much room again as it holds, so that memory grows by 1.5 times of what leaks.
    const used = 45 + 2 + 4 + 1.5 * (20 + (minutes * 60) / 20);
    const trueMs = ((400 - used) / (1.5 / 20)) * 1_000;
    expect(Math.abs(limit!.etaMs! / trueMs - 1)).toBeLessThan(0.1);
    expect(limit!.etaLowMs!).toBeLessThanOrEqual(trueMs * 1.02);
    expect(limit!.etaHighMs!).toBeGreaterThanOrEqual(trueMs * 0.98);
  });

  it('not at all meets no limit', () => {
    const { heap } = watched(20, { limitMiB: 400 });
    expect(heap.state).toBe('not-leaking');
    expect(heap.limit).toBeUndefined();
  });
});

describe('a declared ceiling', () => {
  const ceilings = (atMost: number, at?: string): DeclaredCeilings => {
    const declared = new DeclaredCeilings();
    declared.add({ kind: 'simulated', atMost, ...(at === undefined ? {} : { at }) });
    return declared;
  };
  const slow: PopulationShape = { streams: [{ rate: () => 0.2 }] };

  it('makes more than it a leak at once', () => {
    const { line } = watched(4, { line: slow, ceilings: ceilings(20) });
    expect(line).toMatchObject({ state: 'leaking', limit: { name: 'declared ceiling', count: 20, etaMs: 0 } });
  });

  it('makes growth below it none, however steady', () => {
    const fast: PopulationShape = { nature: 'few', streams: [{ rate: () => 1 }] };
    expect(watched(10, { line: fast, ceilings: ceilings(5_000) }).line.state).not.toBe('leaking');
    expect(watched(10, { line: fast }).line.state).toBe('leaking');
  });

  it('silences nothing at another line', () => {
    const fast: PopulationShape = { nature: 'few', streams: [{ rate: () => 1 }] };
    expect(watched(10, { line: fast, ceilings: ceilings(5_000, 'other.ts') }).line.state).toBe('leaking');
    expect(watched(10, { line: fast, ceilings: ceilings(5_000, 'line.ts') }).line.state).not.toBe('leaking');
  });
});

describe('descriptors that nothing accounts for', () => {
  const fourEach: MemoryShape = { fds: (s) => 4 * Math.floor(s / 5) };

  it('make the line a leak that grows by one for four of them', () => {
    const { line, fds } = watched(3, { memory: fourEach, line: { nature: 'few', streams: [{ rate: () => 0.2 }] } });
    expect(fds).toMatchObject({ state: 'leaking', partOf: 'line' });
    expect(line.state).toBe('leaking');
    expect(line.reasons.join()).toContain('it accounts for the file descriptors');
    expect(watched(3, { line: { nature: 'few', streams: [{ rate: () => 0.2 }] } }).line.state).not.toBe('leaking');
  });

  it('are told by themselves where no line keeps pace', () => {
    const { line, fds } = watched(3, { memory: fourEach, line: { streams: [{ rate: (s) => (s < 10 ? 2 : 0) }] } });
    expect(fds.state).toBe('leaking');
    expect(fds.partOf).toBeUndefined();
    expect(line.state).not.toBe('leaking');
  });
});

describe('memory of Buffers', () => {
  const MIB_EACH = 0.25;
  const shape: MemoryShape = { external: (s) => 2 + 5 * s * MIB_EACH };

  /** A line of Buffers, in bytes: as much of them as there is of memory outside the heap, or none that grows. */
  function external(seconds: number, lineBytes: (s: number) => number): Record<string, Finding> {
    const simulated = new SimulatedMemory({ ...shape, garbage: () => 2 }, new SeededRandom(3));
    const detector = new LeakDetector();
    for (let atMs = 0; atMs <= seconds * 1_000; atMs += TICK_MS) {
      if (atMs > 0) simulated.pass(atMs - TICK_MS, atMs);
      const live = lineBytes(atMs / 1_000) * MIB;
      detector.take({
        atMs,
        groups: [
          {
            ...new Population({ streams: [] }, new SeededRandom(1)).reading('buffers', atMs, 0),
            kind: 'buffer',
            inBytes: true,
            live,
            held: live,
            opened: live,
            aged: live,
          },
        ],
        process: simulated.reading(atMs, 0),
        work: [],
        limits: { memoryBytes: null, heapBytes: null, fds: null },
      });
    }
    return Object.fromEntries(detector.findings().map((finding) => [finding.id, finding]));
  }

  it('that leaks is that of the line that accounts for it', () => {
    const { buffers, external: sum } = external(150, (s) => 5 * s * MIB_EACH);
    expect(sum).toMatchObject({ state: 'leaking', partOf: 'buffers' });
    expect(buffers.state).toBe('leaking');
  });

  it('that leaks elsewhere is not that of a line that holds as much as ever', () => {
    const { buffers, external: sum } = external(150, () => 40);
    expect(sum.state).toBe('leaking');
    expect(sum.partOf).toBeUndefined();
    expect(buffers.state).not.toBe('leaking');
  });
});
