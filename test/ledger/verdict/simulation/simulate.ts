import { LeakDetector } from '../../../../src/ledger/verdict/leak-detector';
import type { State } from '../../../../src/ledger/verdict/verdict-state';
import { SeededRandom } from '../../../guarantees/seeded-random';
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
  /** How many there were at the first verdict. */
  readonly liveThen: number;
  readonly perWork: number | null;
}

const TICK_MS = 5_000;
const MIB = 2 ** 20;

/** Drives the detector through simulated time. */
export function simulate(shape: Shape, seed: number): Outcome {
  const random = new SeededRandom(seed);
  const detector = new LeakDetector();
  const population = new Population(shape.population, random.fork());
  const workNoise = random.fork();
  let work = 0;
  let workLeft = 0;
  let leakingTicks = 0;
  let ticks = 0;
  let first: { atMs: number; live: number; perWork: number | null } | null = null;
  let growingMs: number | null = null;
  let last: State = 'not-enough-data';
  for (let atMs = 0; atMs <= shape.hours * 3_600_000; atMs += TICK_MS) {
    if (atMs > 0) {
      workLeft += (shape.work?.(atMs / 1_000) ?? 0) * (TICK_MS / 1_000) * (0.8 + 0.4 * workNoise.next());
      const done = Math.floor(workLeft);
      workLeft -= done;
      work += done;
      population.pass(atMs - TICK_MS, atMs, done);
    }
    const isRead = population.live >= 2 || detector.isFollowed('line');
    detector.take({
      atMs,
      groups: isRead ? [population.reading('line', atMs, detector.gateMs('line'))] : [],
      process: {
        heapFloorBytes: 20 * MIB,
        heapCollectedBytes: null,
        externalCollectedBytes: null,
        collections: 0,
        heapTotalBytes: 30 * MIB,
        externalBytes: 2 * MIB,
        rssBytes: 80 * MIB,
        openFds: null,
        knownFds: 0,
        inbound: shape.inbound?.(atMs / 1_000) ?? 0,
      },
      work: shape.work ? [{ unit: 'work', count: work, vagueness: 0 }] : [],
      limits: { memoryBytes: null, heapBytes: null, fds: null },
    });
    const finding = detector.findings().find(({ id }) => id === 'line');
    last = finding?.state ?? 'not-enough-data';
    ticks++;
    if (last === 'growing') growingMs ??= atMs;
    if (last !== 'leaking') continue;
    leakingTicks++;
    first ??= { atMs, live: population.live, perWork: finding?.perWork?.factor ?? null };
  }
  return {
    leakingAfter: first && first.atMs / 1_000,
    growingAfter: growingMs === null ? null : growingMs / 1_000,
    leakingShare: leakingTicks / ticks,
    last,
    liveThen: first?.live ?? 0,
    perWork: first?.perWork ?? null,
  };
}
