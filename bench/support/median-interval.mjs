import { median } from './median.mjs';

/** Median of ratios as a change in per cent, with its 95 % interval by bootstrap. @param {number[]} ratios */
export function medianChange(ratios) {
  const draws = Array.from({ length: 2_000 }, () =>
    median(ratios.map(() => ratios[Math.floor(Math.random() * ratios.length)])),
  ).sort((a, b) => a - b);
  const percent = (ratio) => (ratio - 1) * 100;
  return { median: percent(median(ratios)), low: percent(draws[50]), high: percent(draws[1_949]) };
}

/** @param {{median: number, low: number, high: number}} change */
export function changeText({ median: middle, low, high }) {
  return `${middle.toFixed(1)} % (${low.toFixed(1)} … ${high.toFixed(1)})`;
}
