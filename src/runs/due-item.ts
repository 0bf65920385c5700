/** Something that comes due: a schedule's tick, or a run that was put off. */
export interface DueItem {
  namespace: string;
  id: string;
  /** When it is due, ms since the epoch by Redis. */
  dueAt: number;
}

/**
 * Reads what scripts return of the due index.
 * @param flat member, score, member, score, …
 * @returns by the kind of the members (`s` schedules, `r` runs)
 */
export function dueItems(flat: readonly (number | string)[]): Map<string, DueItem[]> {
  const byKind = new Map<string, DueItem[]>();
  for (let index = 0; index < flat.length; index += 2) {
    const [kind, namespace, id] = String(flat[index]).split('|');
    const items = byKind.get(kind) ?? [];
    items.push({ namespace, id, dueAt: Number(flat[index + 1]) });
    byKind.set(kind, items);
  }
  return byKind;
}
