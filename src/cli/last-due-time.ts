/** Instants that are due from an instant on, in order, the first `PROBE_COUNT` of them. */
export type DueTimesFrom = (fromMs: number) => Promise<readonly number[]>;

/** How many due times a probe asks for. */
export const PROBE_COUNT = 1_000;

const FIRST_LOOKBACK_MS = 60_000;
const LOOKBACK_FACTOR = 16;

/**
 * The last due time at or after `floorMs` and before `boundMs`; undefined when there is none. Looks back further and
 * further until it finds one, then halves what lies between that and the bound: a handful of probes for any timing.
 */
export async function lastDueTime(
  dueTimesFrom: DueTimesFrom,
  floorMs: number,
  boundMs: number,
): Promise<number | undefined> {
  let emptyFromMs = boundMs;
  let found: number | undefined;
  const probe = async (fromMs: number): Promise<'complete' | 'more' | 'none'> => {
    const times = await dueTimesFrom(fromMs);
    const before = times.filter((time) => time < boundMs);
    if (before.length === 0) return 'none';
    found = before.at(-1);
    return before.length < times.length || times.length < PROBE_COUNT ? 'complete' : 'more';
  };

  for (let lookbackMs = FIRST_LOOKBACK_MS; found === undefined; lookbackMs *= LOOKBACK_FACTOR) {
    const fromMs = Math.max(floorMs, boundMs - lookbackMs);
    const outcome = await probe(fromMs);
    if (outcome === 'complete') return found;
    if (outcome === 'none') {
      if (fromMs <= floorMs) return undefined;
      emptyFromMs = fromMs;
    }
  }
  // More than one probe holds lie behind `found`; none at or behind `emptyFromMs`.
  while (found + 1 < emptyFromMs) {
    const middleMs = Math.max(found + 1, Math.floor((found + emptyFromMs) / 2));
    const outcome = await probe(middleMs);
    if (outcome === 'complete') return found;
    if (outcome === 'none') emptyFromMs = middleMs;
  }
  return found;
}
