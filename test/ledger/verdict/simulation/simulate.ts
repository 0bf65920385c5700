import type { Finding } from '../../../../src/ledger/verdict/finding';
import { LeakDetector } from '../../../../src/ledger/verdict/leak-detector';
import type { State } from '../../../../src/ledger/verdict/verdict-state';
import { parameters } from '../../../../src/ledger/verdict/verdict-parameters';
import { SeededRandom } from '../../../guarantees/seeded-random';
import { SimulatedMemory } from './memory';
import { Population } from './population';
import type { Shape } from './shapes';

/** What became of the verdict on one population. */
export interface Outcome {
  /** Seconds until it was first told as leaking; null: never. */
  readonly leakingAfter: number | null;
  readonly growingAfter: number | null;
  /** Share of the time it was told as leaking. */
  readonly leakingShare: number;
  readonly last: State;
  /** How many, or how many bytes, there were at the first verdict. */
  readonly liveThen: number;
  readonly perWork: number | null;
  /** Why it is none, where the last finding says so. */
  readonly cause: Finding['cause'] | null;
}

const TICK_MS = parameters.tickMs;

/**
 * Drives the detector through simulated time.
 * @param watch is told what the detector finds, tick by tick
 */
export function simulate(
  shape: Shape,
  seed: number,
  watch: (atMs: number, finding: Finding | undefined) => void = () => undefined,
): Outcome {
  const random = new SeededRandom(seed);
  const detector = new LeakDetector();
  const population = new Population(shape.population ?? { streams: [] }, random.fork());
  const memory = new SimulatedMemory(shape.memory ?? {}, random.fork());
  const subject = shape.subject ?? 'line';
  const workNoise = random.fork();
  let work = 0;
  let workLeft = 0;
  let leakingTicks = 0;
  let ticks = 0;
  let first: { atMs: number; live: number; perWork: number | null } | null = null;
  let growingMs: number | null = null;
  let last: State = 'not-enough-data';
  let cause: Outcome['cause'] = null;
  for (let atMs = 0; atMs <= shape.hours * 3_600_000; atMs += TICK_MS) {
    if (atMs > 0) {
      workLeft += (shape.work?.(atMs / 1_000) ?? 0) * (TICK_MS / 1_000) * (0.8 + 0.4 * workNoise.next());
      const done = Math.floor(workLeft);
      workLeft -= done;
      work += done;
      population.pass(atMs - TICK_MS, atMs, done);
      memory.pass(atMs - TICK_MS, atMs);
    }
    const isRead = population.live >= 2 || detector.isFollowed('line');
    detector.take({
      atMs,
      groups: isRead ? [population.reading('line', atMs, detector.gateMs('line'))] : [],
      process: memory.reading(atMs, shape.inbound?.(atMs / 1_000) ?? 0),
      work: shape.work ? [{ unit: 'work', count: work, vagueness: 0 }] : [],
      limits: { memoryBytes: null, heapBytes: null, fds: null },
    });
    const finding = detector.findings().find(({ id }) => id === subject);
    watch(atMs, finding);
    last = finding?.state ?? 'not-enough-data';
    cause = finding?.cause ?? null;
    ticks++;
    if (last === 'growing') growingMs ??= atMs;
    if (last !== 'leaking') continue;
    leakingTicks++;
    first ??= { atMs, live: finding?.liveBytes ?? population.live, perWork: finding?.perWork?.factor ?? null };
  }
  return {
    leakingAfter: first && first.atMs / 1_000,
    growingAfter: growingMs === null ? null : growingMs / 1_000,
    leakingShare: leakingTicks / ticks,
    last,
    cause,
    liveThen: first?.live ?? 0,
    perWork: first?.perWork ?? null,
  };
}
