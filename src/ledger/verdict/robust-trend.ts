/** What a short series does, by methods that one outlier cannot turn. */
export interface Trend {
  /** Mann–Kendall: −1 (always falling) … 1 (always rising). */
  readonly tau: number;
  /** Theil–Sen: median of the slopes between all pairs of points, per unit of x. */
  readonly slope: number;
  /** Ends of the interval of the slope. */
  readonly slopeLow: number;
  readonly slopeHigh: number;
  /** Slope times the span of x. */
  readonly growth: number;
  /** Growth in the second half over that in the first; infinite when only the second grows. */
  readonly laterHalf: number;
  /** Farthest point from the fitted line, as a share of the growth. */
  readonly misfit: number;
}

/** @param xs rising; as long as `ys`, at least 3. @param z how many standard deviations the interval spans to either side */
export function trendOf(xs: readonly number[], ys: readonly number[], z = 1.96): Trend {
  const count = ys.length;
  const slopes: number[] = [];
  let signs = 0;
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const rise = ys[j]! - ys[i]!;
      signs += Math.sign(rise);
      slopes.push(rise / (xs[j]! - xs[i]!));
    }
  }
  slopes.sort((a, b) => a - b);
  const slope = medianOf(slopes);
  const spread = z * Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18);
  const at = (place: number): number => slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(place)))]!;
  const span = xs[count - 1]! - xs[0]!;
  const growth = slope * span;
  const middle = Math.floor((count - 1) / 2);
  const first = (ys[middle]! - ys[0]!) / (xs[middle]! - xs[0]!);
  const second = (ys[count - 1]! - ys[count - 1 - middle]!) / (xs[count - 1]! - xs[count - 1 - middle]!);
  const offset = medianOf(ys.map((y, index) => y - slope * (xs[index]! - xs[0]!)).sort((a, b) => a - b));
  const farthest = Math.max(...ys.map((y, index) => Math.abs(y - offset - slope * (xs[index]! - xs[0]!))));
  return {
    tau: signs / slopes.length,
    slope,
    slopeLow: at((slopes.length - spread) / 2 - 1),
    slopeHigh: at((slopes.length + spread) / 2),
    growth,
    laterHalf: first > 0 ? second / first : second > 0 ? Infinity : 0,
    misfit: growth > 0 ? farthest / growth : Infinity,
  };
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
