import type { Verdict } from '../../src/contract/verdict.schema.js';
import type { Look } from './observation.js';

/** Points that a slope is taken from: more would cost more and say the same. */
const MOST_POINTS = 120;
/** What is measured over fewer looks is noise. */
const FEWEST_LOOKS = 8;
/** A time to a limit so far away says nothing a run of minutes could confirm. */
const FARTHEST_MS = 24 * 3_600_000;

/**
 * Median error of the times to a limit that were told with `leaking`, as a share of the true time. The truth is the death of
 * the process where it died, else what was left to the limit over the growth measured from then to the end of the run.
 */
export function scoreForecast(looks: readonly Look[], diedAtMs: number | null): number | null {
  const errors: number[] = [];
  for (const [index, look] of looks.entries()) {
    const told = limitOf(look);
    if (!told) continue;
    const trueMs = diedAtMs === null ? trueTimeLeft(told, looks.slice(index)) : diedAtMs - look.atMs;
    if (trueMs === null || trueMs <= 0 || trueMs > FARTHEST_MS) continue;
    errors.push(Math.abs((told.etaMs as number) / trueMs - 1));
  }
  return errors.length < 3 ? null : median(errors);
}

function limitOf({ verdicts }: Look): Verdict['limit'] | null {
  const told = verdicts.find(({ state, limit }) => state === 'leaking' && typeof limit?.etaMs === 'number');
  return told?.limit ?? null;
}

function trueTimeLeft({ name, bytes, count }: NonNullable<Verdict['limit']>, later: readonly Look[]): number | null {
  const [now] = later;
  const measured = MEASURES[name];
  const limit = bytes ?? count;
  if (!measured || limit === undefined || later.length < FEWEST_LOOKS) return null;
  const slope = medianSlope(later.map((look) => [look.atMs, measured(look)]));
  const used = measured(now);
  return used === null || slope === null || slope <= 0 ? null : (limit - used) / slope;
}

const MEASURES: Record<string, ((look: Look) => number | null) | undefined> = {
  'cgroup memory': ({ usedBytes }) => usedBytes,
  'V8 heap': ({ heapBytes }) => heapBytes,
  'file descriptors': ({ fds }) => fds,
};

/** Theil–Sen. */
function medianSlope(points: [number, number | null][]): number | null {
  const step = Math.ceil(points.length / MOST_POINTS);
  const kept = points.filter((point, index): point is [number, number] => point[1] !== null && index % step === 0);
  const slopes: number[] = [];
  for (let left = 0; left < kept.length; left++) {
    for (let right = left + 1; right < kept.length; right++) {
      slopes.push((kept[right][1] - kept[left][1]) / (kept[right][0] - kept[left][0]));
    }
  }
  return slopes.length === 0 ? null : median(slopes);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
