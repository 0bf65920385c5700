import type { Life } from '../../contract/recorder.schema.js';
import type { ReadLife } from './files/life-reader.js';
import { stillRuns } from './files/process-identity.js';

/** Exit codes above this stand for a signal, by the convention of shells. */
const SIGNAL_CODES = 128;

type LifeEnd = Pick<Life, 'end' | 'endedAt' | 'exitCode'>;

/** How a life ended, as far as what it left behind in files tells. */
export function lifeEnd({ header, last, stoppedAt, exit }: ReadLife): LifeEnd {
  if (exit !== null) {
    const end = exit.code === 0 ? 'clean' : exit.code > SIGNAL_CODES ? 'killed' : 'crashed';
    return { end, endedAt: exit.at, exitCode: exit.code };
  }
  if (stoppedAt !== null) return { end: 'clean', endedAt: stoppedAt, exitCode: null };
  if (header === null && last === null) return { end: 'unknown', endedAt: null, exitCode: null };
  if (header !== null && stillRuns(header)) return { end: 'running', endedAt: null, exitCode: null };
  const endedAt = last?.sample.at ?? header!.startedAt;
  return { end: last?.isNearLimit ? 'killed-near-limit' : 'killed', endedAt, exitCode: null };
}

/** A life that was heard within so many of its own intervals, and within so many ms, runs somewhere. */
const HEARD_INTERVALS = 3;
const MIN_HEARD_MS = 30_000;

/**
 * The same for a life of which nothing is known but what an archive holds: whether it crashed or was killed cannot be told then.
 * @param now ms since the epoch
 * @param deadBefore one that was last heard before it is over: the present life of the same replica began then
 */
export function archivedEnd(read: ReadLife, now: number, deadBefore: number): LifeEnd {
  const end = lifeEnd(read);
  const heard = read.last?.sample;
  const isHeard = heard !== undefined && now - heard.at < Math.max(MIN_HEARD_MS, HEARD_INTERVALS * heard.intervalMs);
  if (read.stoppedAt === null && isHeard && heard.at > deadBefore)
    return { end: 'running', endedAt: null, exitCode: null };
  return end.end === 'killed' ? { ...end, end: 'unknown' } : end;
}
