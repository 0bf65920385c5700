import { leaking } from './leak-score.js';
import type { Observation } from './observation.js';

/** What a detector made of a scenario that is healthy. */
export interface ControlScore {
  /** Verdicts that were `leaking` at some time. */
  readonly alarms: number;
  /** Of these, not `leaking` any more at the end. */
  readonly retracted: number;
  /** Of these, `leaking` at the end. */
  readonly standing: number;
  readonly sentences: readonly string[];
}

export function scoreControl({ looks }: Observation): ControlScore {
  const sentences = new Map<string, string>();
  for (const look of looks) for (const { id, sentence } of leaking(look)) sentences.set(id, sentence);
  const last = looks.findLast(({ state }) => state !== null);
  const standing = last ? leaking(last).length : 0;
  return {
    alarms: sentences.size,
    retracted: sentences.size - standing,
    standing,
    sentences: [...sentences.values()],
  };
}
