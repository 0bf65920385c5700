import type { PlaceOutcome } from './agent-call.error.js';

/** When an agent is ejected and how it comes back. Replicas of one Redis must run with the same values. */
export const healthRules = {
  /** Agent errors in a row that eject. One may be a dropped connection, two a restart; the third is a pattern. */
  consecutiveErrors: 3,
  /** Outcomes looked at for the error share. Longer and an agent that has just gone bad hides behind its good past. */
  window: 20,
  /** Outcomes needed before the share says anything: 1 of 2 is no 50 %. */
  minOutcomes: 10,
  /** Share of agent errors in the window that ejects; catches an agent that fails every other call and never three in a row. */
  errorShare: 0.5,
  /** First ejection. About the time in which a process restarts. */
  baseEjectionMs: 5_000,
  /** Each ejection doubles the time up to this, so that a repaired agent is found again within minutes. */
  maxEjectionMs: 300_000,
  /** Places of an agent that comes back, or is tried although ejected; each success doubles them. */
  returnPlaces: 1,
  /** Successes in a row after a return that clear the count of ejections. */
  recoverySuccesses: 10,
} as const;

/** The rules in the order in which the release script reads them. */
export function healthArguments(): number[] {
  const rules = healthRules;
  return [
    rules.consecutiveErrors,
    rules.window,
    rules.minOutcomes,
    rules.errorShare,
    rules.baseEjectionMs,
    rules.maxEjectionMs,
    rules.returnPlaces,
    rules.recoverySuccesses,
  ];
}

/**
 * The letter under which an outcome is recorded: `s` succeeded, `j` the handler failed (an error of the job, proof that
 * the agent works), `a` the agent failed; undefined: says nothing about the agent.
 */
export function outcomeLetter(outcome: PlaceOutcome): 's' | 'j' | 'a' | undefined {
  if (outcome === 'succeeded') return 's';
  if (outcome === 'job-error') return 'j';
  return outcome === 'abandoned' ? undefined : 'a';
}

/** Share of failed runs (0–1) and 95th percentile of the duration (ms) of recorded outcomes `letter:durationMs`. */
export function summarizeOutcomes(outcomes: readonly string[]): { errorRate: number; p95Ms: number } {
  if (outcomes.length === 0) return { errorRate: 0, p95Ms: 0 };
  const durations = outcomes.map((outcome) => Number(outcome.slice(2))).sort((a, b) => a - b);
  const failedCount = outcomes.filter((outcome) => !outcome.startsWith('s')).length;
  return {
    errorRate: failedCount / outcomes.length,
    p95Ms: durations[Math.ceil(durations.length * 0.95) - 1] as number,
  };
}

/** How much the half-rule leaves out: of so many usable agents at most this many stay ejected at once. */
export function maxEjected(usableCount: number): number {
  return Math.floor(usableCount / 2);
}
