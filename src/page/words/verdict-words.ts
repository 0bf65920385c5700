import type { VerdictState } from '../../contract/verdict.schema.js';

/** What people call the states. */
export const stateWords: Record<VerdictState, string> = {
  'not-enough-data': 'Not enough data yet',
  'not-leaking': 'Not leaking',
  growing: 'Growing',
  leaking: 'Leaking',
  retracted: 'Retracted',
};

/** States that somebody should look at, worst first. */
export const suspectStates: readonly VerdictState[] = ['leaking', 'growing', 'retracted'];

export const endWords: Record<string, string> = {
  running: 'runs',
  clean: 'ended in an orderly way',
  crashed: 'crashed',
  'killed-near-limit': 'killed near its memory limit',
  killed: 'killed',
  unknown: 'ended, nobody knows how',
};
