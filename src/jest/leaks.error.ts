import { resolve } from 'node:path';
import type { LedgerGroup } from '../ledger/ledger-snapshot.js';
import { placeOf } from './allowed-leaks.js';

/** One leak: how many of which kind, made where. */
export interface Leak {
  kind: string;
  count: number;
  /** In the source, relative to where jest was started; null when no line of the application was on the stack. */
  site: { file: string; line: number; column: number; function: string | null } | null;
  /** The Nest provider under construction, when no line of the application was nearer than the bootstrap. */
  provider?: string;
  /** Kind of the owner that opened it. */
  via?: string;
}

/** Something opened during a test or a test file is still alive after it. */
export class LeaksError extends Error {
  readonly code = 'LEAKS';
  readonly leaks: readonly Leak[];

  /** @param during for the message: 'this test', 'this test file' */
  constructor(groups: readonly LedgerGroup[], during: string, root: string) {
    const shown = withoutOwned(groups);
    super(messageOf(shown, during));
    this.name = 'LeaksError';
    this.leaks = shown.map(({ kind, live, site, provider, via }) => ({ kind, count: live, site, provider, via }));
    // jest shows the source around the first place on the stack: that of the leak, not of the check.
    this.stack = `${this.name}: ${this.message}\n${stackOf(shown, root)}`;
  }
}

/** What an owner opened goes with it: one client and its socket are one leak. */
function withoutOwned(groups: readonly LedgerGroup[]): LedgerGroup[] {
  return groups.filter(
    ({ via, site }) => !groups.some((owner) => owner.kind === via && sameLine(owner.site, site) && !owner.via),
  );
}

function sameLine(one: LedgerGroup['site'], other: LedgerGroup['site']): boolean {
  return one?.file === other?.file && one?.line === other?.line;
}

function messageOf(groups: readonly LedgerGroup[], during: string): string {
  const count = groups.reduce((sum, { live }) => sum + live, 0);
  const lines = groups.map(
    (group) => `  ${group.live} ${group.kind} made at ${placeOf(group)}${group.via ? ` via ${group.via}` : ''}`,
  );
  return [`${count} opened during ${during} and still alive after it:`, ...lines].join('\n');
}

function stackOf(groups: readonly LedgerGroup[], root: string): string {
  return groups
    .flatMap(({ site }) => (site ? [site] : []))
    .map(({ file, line, column, ...site }) => {
      const place = `${resolve(root, file)}:${line}:${column}`;
      return site.function ? `    at ${site.function} (${place})` : `    at ${place}`;
    })
    .join('\n');
}
