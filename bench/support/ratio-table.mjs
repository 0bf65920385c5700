import { printTable } from './markdown-table.mjs';
import { median } from './median.mjs';

/**
 * Prints a Markdown table of the medians, each with its multiples of other sides.
 * @param {{name: string}[]} sides one row each
 * @param {[string, string, number][]} columns title, name of the sample's field, digits
 * @param {(side: object) => object[]} samplesOf
 * @param {...object} bases the sides that are one
 */
export function printRatios(sides, columns, samplesOf, ...bases) {
  const of = (side, name) => median(samplesOf(side).map((sample) => sample[name]));
  printTable(
    ['', ...columns.map(([title]) => title)],
    sides.map((side) => [
      side.name,
      ...columns.map(([, name, digits]) => {
        const value = of(side, name);
        const multiples = bases.map((base) => (value / of(base, name)).toFixed(2));
        return `${value.toFixed(digits)} (${multiples.join(', ')})`;
      }),
    ]),
  );
}
