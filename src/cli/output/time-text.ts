import type { Terminal } from './terminal.js';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const EXACT_UNITS = [
  [DAY_MS, 'd'],
  [HOUR_MS, 'h'],
  [MINUTE_MS, 'min'],
  [SECOND_MS, 's'],
] as const;

/** A duration as people say it, rounded: `300 ms`, `3 s`, `2 min`, `1 h 20 min`, `3 d 4 h`. */
export function roughDuration(ms: number): string {
  const rounded = (unitMs: number) => Math.round(ms / unitMs);
  // Each bound is where the smaller unit would round up to one of the larger.
  if (ms < SECOND_MS - 0.5) return `${Math.round(ms)} ms`;
  if (rounded(SECOND_MS) < 60) return `${rounded(SECOND_MS)} s`;
  if (rounded(MINUTE_MS) < 60) return `${rounded(MINUTE_MS)} min`;
  if (rounded(MINUTE_MS) < 24 * 60) return twoUnits(rounded(MINUTE_MS), 60, 'h', 'min');
  return twoUnits(rounded(HOUR_MS), 24, 'd', 'h');
}

/** A duration without loss, in the largest unit that divides it: `90 s`, `5 min`. */
export function exactDuration(ms: number): string {
  const [unitMs, name] = EXACT_UNITS.find(([candidateMs]) => ms % candidateMs === 0 && ms > 0) ?? [1, 'ms'];
  return `${ms / unitMs} ${name}`;
}

/** An instant seen from now: `in 3 s`, `2 min ago`, `now` within half a second. */
export function relativeTime(at: number, now: number): string {
  const distanceMs = Math.abs(at - now);
  if (distanceMs < SECOND_MS / 2) return 'now';
  const distance = roughDuration(Math.max(distanceMs, SECOND_MS));
  return at > now ? `in ${distance}` : `${distance} ago`;
}

/** An instant in UTC, to the millisecond. */
export function utc(at: number): string {
  return new Date(at).toISOString();
}

/** An instant in a list: relative, and with `--utc` exact beside it. */
export function listedTime(at: number | undefined, terminal: Terminal): string {
  if (at === undefined) return '';
  const relative = relativeTime(at, terminal.now);
  return terminal.showsUtc ? `${utc(at)} (${relative})` : relative;
}

/** An instant where there is room for both. */
export function fullTime(at: number | undefined, terminal: Terminal): string | undefined {
  return at === undefined ? undefined : `${utc(at)} (${relativeTime(at, terminal.now)})`;
}

function twoUnits(count: number, perLarge: number, large: string, small: string): string {
  const rest = count % perLarge;
  return `${Math.floor(count / perLarge)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}
