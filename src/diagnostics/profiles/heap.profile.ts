import type { HeapStack } from '../../ledger/index.js';
import type { HeapLease } from '../heap/heap-lease.js';
import { namedFrame, type ProfileData, type ProfileEntry } from './profile.js';
import type { SampleType } from './pprof-builder.js';
import { nameOf } from './pprof-frame.js';

/** Go's names, which those who pull profiles know. What is dead V8 forgets, so there are no `alloc_…`. */
const SAMPLE_TYPES: readonly SampleType[] = [
  ['inuse_objects', 'count'],
  ['inuse_space', 'bytes'],
];

const BEGUN = 'the sampling began with this request: ask again in a while, or with seconds=N';

/**
 * What is alive of what was allocated since the sampling began, by the functions on the stack.
 * @throws HttpRefusal UNAVAILABLE where the heap cannot be sampled
 */
export async function heapProfile(lease: HeapLease): Promise<ProfileData> {
  const reading = lease.mustRead();
  const entries = (await lease.sampling.stacks()).map(entryOf);
  return profileOf(lease, entries, { comments: reading === 'begun' ? [BEGUN] : [] });
}

/**
 * What becomes more or less while `wait` lasts.
 * @throws HttpRefusal UNAVAILABLE where the heap cannot be sampled
 */
export async function heapDelta(lease: HeapLease, wait: () => Promise<void>): Promise<ProfileData> {
  lease.mustRead();
  const { startedAt } = lease.sampling.status();
  const before = (await lease.sampling.stacks()).map(entryOf);
  const startedMs = performance.now();
  await wait();
  lease.mustRead();
  const after = (await lease.sampling.stacks()).map(entryOf);
  const durationMs = performance.now() - startedMs;
  // Begun anew in between, at another rate: then all that is known is new.
  const same = lease.sampling.status().startedAt === startedAt;
  return profileOf(lease, same ? difference(before, after) : after, { durationMs });
}

function profileOf(
  { sampling }: HeapLease,
  entries: readonly ProfileEntry[],
  more: { durationMs?: number; comments?: string[] },
): ProfileData {
  return {
    name: 'heap',
    sampleTypes: SAMPLE_TYPES,
    defaultType: 'inuse_space',
    period: { type: ['space', 'bytes'], value: sampling.status().intervalBytes },
    takenAt: Date.now(),
    entries,
    ...more,
  };
}

function entryOf({ stack, liveCount, liveBytes }: HeapStack): ProfileEntry {
  return {
    stack: stack.length > 0 ? stack : [namedFrame('(runtime)')],
    values: [liveCount, liveBytes],
    labels: [],
  };
}

function difference(before: readonly ProfileEntry[], after: readonly ProfileEntry[]): ProfileEntry[] {
  const changes = new Map<string, ProfileEntry>();
  const add = ({ stack, values, labels }: ProfileEntry, sign: 1 | -1): void => {
    const key = stack.map((frame) => `${nameOf(frame)}\n${frame.file}\n${frame.line}`).join('\n\n');
    const known = changes.get(key);
    changes.set(key, { stack, labels, values: values.map((value, at) => (known?.values[at] ?? 0) + sign * value) });
  };
  for (const entry of after) add(entry, 1);
  for (const entry of before) add(entry, -1);
  return [...changes.values()].filter(({ values }) => values.some((value) => value !== 0));
}
