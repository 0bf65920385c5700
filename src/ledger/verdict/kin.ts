import { parameters } from './verdict-parameters.js';

/** A line that grows, as far as kinship goes. */
export interface Kin {
  readonly id: string;
  readonly isLeaking: boolean;
  /** 0: the application's own object; higher: what such objects hold. */
  readonly rank: number;
  readonly place: string | null;
  readonly around: string | null;
  readonly ratePerSecond: number;
}

/**
 * Who goes with whom: a client leaks, and with it its socket, its timers, its listeners. The owner is the line of the
 * application that comes first in rank; what was made at the same line, or in the same function at the same pace, goes with
 * it, and so does what has no line of its own and keeps pace.
 * @returns id of the owner by id of what goes with it
 */
export function ownersOf(lines: readonly Kin[]): Map<string, string> {
  const ordered = [...lines].sort(
    (a, b) => Number(b.isLeaking) - Number(a.isLeaking) || a.rank - b.rank || b.ratePerSecond - a.ratePerSecond,
  );
  const owners: Kin[] = [];
  const ownerOf = new Map<string, string>();
  for (const line of ordered) {
    const owner = owners.find((known) => goesWith(line, known));
    if (owner) ownerOf.set(line.id, owner.id);
    else owners.push(line);
  }
  return ownerOf;
}

function goesWith(line: Kin, owner: Kin): boolean {
  if (line.place !== null && line.place === owner.place) return true;
  if (line.place !== null && line.around !== owner.around) return false;
  return keepsPace(line.ratePerSecond, owner.ratePerSecond);
}

/** One, two, three of them for each of the owner's. */
export function keepsPace(rate: number, ownerRate: number): boolean {
  const each = rate / ownerRate;
  return each > 0 && Math.abs(each - Math.max(1, Math.round(each))) <= parameters.paceShare * each;
}
