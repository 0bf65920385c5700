import type { Run, RunState } from '../../contract/run.schema.js';
import type { Tone } from '../output/tone.js';

const TONES: Partial<Record<RunState, Tone>> = {
  succeeded: 'good',
  failed: 'bad',
  'timed-out': 'bad',
  retrying: 'doubtful',
  cancelled: 'faint',
};

/** How good a state is. */
export function runTone(state: RunState): Tone | undefined {
  return TONES[state];
}

/** Code and message of a run's error; empty without one. */
export function runErrorText({ error }: Pick<Run, 'error'>): string {
  return error === undefined ? '' : `${error.code}: ${error.message}`;
}
