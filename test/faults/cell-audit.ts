import type { Execution } from '../guarantees/agent-log.js';
import type { Declared } from '../guarantees/declaring-app.js';
import type { Journal } from '../guarantees/journal.js';
import type { RunFacts, ScheduleFacts } from '../guarantees/records.js';
import { auditRuns } from '../guarantees/run-audit.js';
import { auditTicks } from '../guarantees/tick-audit.js';
import { dueSchedules } from './workload.js';

/** What became of the due times. */
export interface DueTimes {
  demandedCount: number;
  lateCount: number;
  /** Left out because a policy of their schedule says so. */
  leftOutCount: number;
  /** Nothing is said about them, or they have more or fewer runs than they must. */
  wrong: string[];
  worstLatenessMs: number;
}

/** What became of the runs, those of due times included. */
export interface RunsEnded {
  runsCount: number;
  /** Handlers called a second time for one attempt, as at least once allows after a fault. */
  repeatedCount: number;
  wrong: string[];
}

/** @param schedules in the order of `dueSchedules` */
export function dueTimesOf(
  schedules: readonly ScheduleFacts[],
  declared: readonly Declared[],
  runs: readonly RunFacts[],
): DueTimes {
  const audits = dueSchedules.map((schedule, at) => {
    const own = runs.filter(({ scheduleId }) => scheduleId === schedule.spec.id);
    return auditTicks(schedule, declared[at] as Declared, schedules[at] as ScheduleFacts, own);
  });
  const sum = (count: (audit: (typeof audits)[number]) => number) =>
    audits.reduce((all, audit) => all + count(audit), 0);
  const total = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((all, count) => all + count, 0);
  return {
    demandedCount: sum(({ counts }) => counts.demanded),
    lateCount: sum(({ counts }) => counts.late),
    leftOutCount: sum(({ counts }) => total(counts.skipped) + total(counts.missed)),
    wrong: audits.flatMap(({ violations }) => violations),
    worstLatenessMs: Math.max(0, ...audits.map(({ latenessMs }) => latenessMs.at(-1) ?? 0)),
  };
}

/** @param forgottenUntil what began before may belong to a run that a Redis without data does not know */
export function runsEndedOf(
  runs: readonly RunFacts[],
  executions: readonly Execution[],
  journal: Journal,
  forgottenUntil: number,
): RunsEnded {
  const known = new Set(runs.map(({ runId }) => runId));
  const remembered = executions.filter(({ runId, beganAt }) => known.has(runId) || beganAt > forgottenUntil);
  const audit = auditRuns(runs, remembered, journal);
  return { runsCount: audit.runsCount, repeatedCount: audit.repeatedCount, wrong: audit.violations };
}
