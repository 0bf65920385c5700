import { type LedgerCount, ledgerCounts, type LedgerCounts } from '../../ledger/index.js';
import { HttpRefusal } from '../http/http-refusal.js';
import { namedFrame, type ProfileData, type ProfileEntry } from './profile.js';
import type { PprofFrame, SampleType } from './pprof-builder.js';

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
  const snapshot = await runningLedger();
  return profileOf(snapshot, new Map(), 0);
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

async function runningLedger(): Promise<LedgerCounts> {
  const snapshot = await ledgerCounts();
  if (!snapshot.ledger.running)
    throw new HttpRefusal('UNAVAILABLE', 'the ledger is not running: start with --require mu-commander/register');
  return snapshot;
}

function profileOf(
  { takenAt, ledger, groups }: LedgerCounts,
  before: ReadonlyMap<string, number[]>,
  durationMs: number,
): ProfileData {
  const entries: ProfileEntry[] = [];
  for (const group of groups) {
    const values = valuesOf(group);
    before.get(group.id)?.forEach((was, index) => (values[index]! -= was));
    if (values.some(isChanged)) entries.push({ stack: stackOf(group), values, labels: labelsOf(group) });
  }
  const late = `counted since ${ledger.startedLateMs} ms after the start of the process`;
  return {
    name: 'handles',
    sampleTypes: SAMPLE_TYPES,
    defaultType: 'live',
    takenAt,
    durationMs,
    comments: [late],
    entries,
  };
}

/**
 * What is measured in bytes is sampled by bytes: its number is a wild estimate, which would drown the counts of everything
 * else.
 */
function valuesOf({ live, created, closed, collectedOpen, liveBytes }: LedgerCount): number[] {
  return liveBytes === undefined ? [live, created, closed, collectedOpen, 0] : [0, 0, 0, 0, liveBytes];
}

const isChanged = (value: number): boolean => value !== 0;

function stackOf({ stack, provider, overflow }: LedgerCount): readonly PprofFrame[] {
  if (overflow) return [...stack, namedFrame(overflow)];
  if (provider) return [...stack, namedFrame(`provider ${provider}`)];
  return stack.length > 0 ? stack : [namedFrame('(no line)')];
}

function labelsOf({ id, kind, via, exact }: LedgerCount): string[] {
  const labels = via ? ['kind', kind, 'via', via, 'group', id] : ['kind', kind, 'group', id];
  if (!exact) labels.push('estimate', 'yes');
  return labels;
}
