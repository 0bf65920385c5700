import { type LedgerCount, ledgerCounts, type LedgerCounts } from '../../ledger/index.js';
import { HttpRefusal } from '../http/http-refusal.js';
import { labelsOf, stackOf } from './group-sample.js';
import { PprofBuilder, type PprofSettings, type SampleType } from './pprof-builder.js';
import type { ProfileData, ProfileEntry } from './profile.js';
import type { WrittenGroups } from './written-groups.js';

/** One per count, so that a diff base subtracts each by itself; `live` first, and shown by default. */
const SAMPLE_TYPES: readonly SampleType[] = [
  ['live', 'count'],
  ['created', 'count'],
  ['closed', 'count'],
  ['collected_open', 'count'],
  ['live_bytes', 'bytes'],
];

/**
 * The groups of the ledger as a profile, labelled with kind, owner and id.
 * @throws HttpRefusal UNAVAILABLE where no ledger runs
 */
export async function handlesProfile(): Promise<ProfileData> {
  const counts = await runningLedger();
  return profileOf(counts, new Map(), 0);
}

/**
 * What changes in the groups while `wait` lasts.
 * @throws HttpRefusal UNAVAILABLE where no ledger runs
 */
export async function handlesDelta(wait: () => Promise<void>): Promise<ProfileData> {
  const before = await runningLedger();
  await wait();
  const after = await runningLedger();
  const known = new Map(before.groups.map((group) => [group.id, valuesOf(group)]));
  return profileOf(after, known, after.takenAt - before.takenAt);
}

/**
 * {@link handlesProfile} as a gzipped pprof file, from what of the groups is written already.
 * @throws HttpRefusal UNAVAILABLE where no ledger runs
 */
export async function handlesFile(written: WrittenGroups): Promise<Buffer> {
  const counts = await runningLedger();
  written.keepUp(counts.ledger);
  const builder = new PprofBuilder(settingsOf(counts, 0), written.tables);
  const { groups } = counts;
  // Counted: there may be thousands, and none of this is compiled yet.
  for (let at = 0; at < groups.length; at++) {
    const values = valuesOf(groups[at]!);
    if (values.some(isChanged)) builder.addWritten(written.of(groups[at]!), values);
  }
  return builder.encode();
}

async function runningLedger(): Promise<LedgerCounts> {
  const snapshot = await ledgerCounts();
  if (!snapshot.ledger.running)
    throw new HttpRefusal('UNAVAILABLE', 'the ledger is not running: start with --require mu-commander/register');
  return snapshot;
}

function profileOf(counts: LedgerCounts, before: ReadonlyMap<string, number[]>, durationMs: number): ProfileData {
  const entries: ProfileEntry[] = [];
  for (const group of counts.groups) {
    const values = valuesOf(group);
    before.get(group.id)?.forEach((was, index) => (values[index]! -= was));
    if (values.some(isChanged)) entries.push({ stack: stackOf(group), values, labels: labelsOf(group) });
  }
  return { name: 'handles', ...settingsOf(counts, durationMs), entries };
}

function settingsOf({ takenAt, ledger }: LedgerCounts, durationMs: number): PprofSettings {
  const late = `counted since ${ledger.startedLateMs} ms after the start of the process`;
  return { sampleTypes: SAMPLE_TYPES, defaultType: 'live', takenAt, durationMs, comments: [late] };
}

/**
 * What is measured in bytes is sampled by bytes: its number is a wild estimate, which would drown the counts of everything
 * else.
 */
function valuesOf({ live, created, closed, collectedOpen, liveBytes }: LedgerCount): number[] {
  return liveBytes === undefined ? [live, created, closed, collectedOpen, 0] : [0, 0, 0, 0, liveBytes];
}

const isChanged = (value: number): boolean => value !== 0;
