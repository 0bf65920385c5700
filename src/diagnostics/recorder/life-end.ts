import type { Life } from '../../contract/recorder.schema.js';
import type { ReadLife } from './files/life-reader.js';
import { stillRuns } from './files/process-identity.js';

/** Exit codes above this stand for a signal, by the convention of shells. */
const SIGNAL_CODES = 128;

/** How a life ended, as far as what it left behind tells. */
export function lifeEnd({ header, last, stoppedAt, exit }: ReadLife): Pick<Life, 'end' | 'endedAt' | 'exitCode'> {
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
