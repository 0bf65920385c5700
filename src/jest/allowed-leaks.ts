import type { LedgerGroup } from '../ledger/ledger-snapshot.js';

/** What may stay open. */
export interface AllowedLeak {
  /** Kind in the ledger's table, or the part before a dot: `socket` takes `socket.client`, too. Default: any. */
  kind?: string;
  /** Part of, or pattern for, the place: `src/cache.ts:12 in Cache.start`. Default: anywhere. */
  at?: string | RegExp;
  /** So many of each place, and no more. Default: any number. */
  atMost?: number;
}

export function isAllowed(group: LedgerGroup, allowed: readonly AllowedLeak[]): boolean {
  return allowed.some(({ kind, at, atMost }) => {
    if (kind !== undefined && group.kind !== kind && !group.kind.startsWith(`${kind}.`)) return false;
    if (atMost !== undefined && group.live > atMost) return false;
    if (at === undefined) return true;
    const place = placeOf(group);
    return typeof at === 'string' ? place.includes(at) : at.test(place);
  });
}

/** Where a group was made, for people. */
export function placeOf({ site, provider, stack }: LedgerGroup): string {
  if (site) return `${site.file}:${site.line}:${site.column}${site.function ? ` in ${site.function}` : ''}`;
  if (provider) return `provider ${provider}`;
  const [frame] = stack;
  return frame ? `no line of the application; ${frame.file}:${frame.line}` : 'no line of the application on the stack';
}
