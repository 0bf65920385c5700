/** What was read at rest, in order of time. */
export interface Series {
  what: string;
  unit: 'count' | 'bytes';
  values: number[];
  /** Growth from the early to the late readings that still counts as level. */
  tolerance: number;
}

export interface Flatness extends Series {
  early: number;
  late: number;
  growth: number;
  isFlat: boolean;
}

/**
 * Compares the median of the last third of the readings with that of the first third after the warm-up. The readings of
 * the warm-up, a quarter of all, are left out: there caps fill and code is compiled.
 * @throws Error for fewer readings than four
 */
export function judgeFlatness(series: Series): Flatness {
  const { values, tolerance } = series;
  if (values.length < 4) throw new Error(`${series.what}: ${values.length} readings tell nothing`);
  const warm = values.slice(Math.floor(values.length / 4));
  const third = Math.max(1, Math.floor(warm.length / 3));
  const [early, late] = [median(warm.slice(0, third)), median(warm.slice(-third))];
  const growth = late - early;
  return { ...series, early, late, growth, isFlat: growth <= tolerance };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[half] as number)
    : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2;
}
