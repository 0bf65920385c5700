import type { Floor } from './floor-series.js';

/** Growth of one site, and the windows it was taken from. */
export interface HeapGrowth {
  readonly bytesPerSecond: number;
  /** Standard deviations from chance; 0 where that cannot be told. */
  readonly z: number;
  readonly floor: Floor;
}

/**
 * The surest growth among the scales. Each sample stands for `intervalBytes`, so what is counted is samples, which come by
 * chance: z = (n2 − n1) / √(n1 + n2 + 1) of the first and the last window. A growth that has slowed down to less than half
 * within the windows counts as none: caches and pools fill up like that. Where no scale is sure of any, the slope is that of
 * what is known provisionally.
 */
export function heapGrowth(floors: readonly Floor[], provisional: Floor, intervalBytes: number): HeapGrowth {
  let best: HeapGrowth = { bytesPerSecond: medianSlope(provisional), z: 0, floor: floors[0] ?? provisional };
  for (const floor of floors) {
    const z = goesOn(floor.bytes) ? growthZ(floor.bytes, intervalBytes) : 0;
    if (z > best.z) best = { bytesPerSecond: medianSlope(floor), z, floor };
  }
  return best;
}

function growthZ(bytes: readonly number[], intervalBytes: number): number {
  const first = bytes[0] / intervalBytes;
  const last = bytes.at(-1)! / intervalBytes;
  return (last - first) / Math.sqrt(first + last + 1);
}

function goesOn(bytes: readonly number[]): boolean {
  const middle = bytes[(bytes.length - 1) >> 1];
  const [first, last] = [bytes[0], bytes.at(-1)!];
  return bytes.length < 4 || last - middle >= 0.5 * (middle - first);
}

/** Theil–Sen: the median of the slopes between all pairs, which one odd window does not move. Per second. */
function medianSlope({ atMs, bytes }: Floor): number {
  const slopes: number[] = [];
  for (let to = 1; to < bytes.length; to++) {
    for (let from = 0; from < to; from++) {
      slopes.push(((bytes[to] - bytes[from]) / Math.max(1, atMs[to] - atMs[from])) * 1_000);
    }
  }
  if (slopes.length === 0) return 0;
  slopes.sort((a, b) => a - b);
  const middle = slopes.length >> 1;
  return slopes.length % 2 === 1 ? slopes[middle] : (slopes[middle - 1] + slopes[middle]) / 2;
}
