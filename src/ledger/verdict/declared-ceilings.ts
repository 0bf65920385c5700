import type { GroupReading } from './detector-sample.js';

/** "There are at most so many of these": what an application knows of itself. */
export interface DeclaredCeiling {
  /** A kind, or what it begins with up to a dot. */
  readonly kind: string;
  /** Only those made at this file (`src/pool.ts`) or line (`src/pool.ts:12`). */
  readonly at?: string;
  readonly atMost: number;
}

const MAX_CEILINGS = 256;

/** The ceilings in force. They silence nothing but the lines they name, and those only below the ceiling. */
export class DeclaredCeilings {
  private readonly ceilings: DeclaredCeiling[] = [];

  /** @throws RangeError for a ceiling that is no whole number, and when there are too many */
  add(ceiling: DeclaredCeiling): void {
    if (!Number.isSafeInteger(ceiling.atMost) || ceiling.atMost < 0)
      throw new RangeError(`ceiling of ${ceiling.kind}: expected a whole number, got ${ceiling.atMost}`);
    const same = this.ceilings.findIndex(({ kind, at }) => kind === ceiling.kind && at === ceiling.at);
    if (same >= 0) this.ceilings.splice(same, 1);
    else if (this.ceilings.length >= MAX_CEILINGS) throw new RangeError(`at most ${MAX_CEILINGS} ceilings`);
    this.ceilings.push(ceiling);
  }

  /** The lowest that applies; null when none does. */
  of({ kind, place }: Pick<GroupReading, 'kind' | 'place'>): number | null {
    let lowest: number | null = null;
    for (const ceiling of this.ceilings) {
      if (kind !== ceiling.kind && !kind.startsWith(`${ceiling.kind}.`)) continue;
      if (ceiling.at !== undefined && !isAt(place, ceiling.at)) continue;
      lowest = Math.min(lowest ?? Infinity, ceiling.atMost);
    }
    return lowest;
  }
}

function isAt(place: string | null, at: string): boolean {
  if (place === null) return false;
  const file = place.slice(0, place.lastIndexOf(':'));
  return [place, file].some((known) => known === at || known.endsWith(`/${at}`));
}
