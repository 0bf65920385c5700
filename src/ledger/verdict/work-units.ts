import type { WorkReading } from './detector-sample.js';
import { parameters } from './verdict-parameters.js';

/** The units of work that growth is held against: the first few that were named, in that order for ever. */
export class WorkUnits {
  readonly names: string[] = [];
  readonly vagueness: number[] = [];

  /** Counts in the order of `names`. */
  counts(work: readonly WorkReading[]): number[] {
    for (const { unit, vagueness } of work) {
      if (this.names.length >= parameters.unitsTracked || this.names.includes(unit)) continue;
      this.names.push(unit);
      this.vagueness.push(vagueness);
    }
    return this.names.map((name) => work.find(({ unit }) => unit === name)?.count ?? 0);
  }
}
