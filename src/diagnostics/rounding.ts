/** Rounds to three decimals: microseconds of a figure in ms, a tenth of a percent of a ratio. */
export function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
