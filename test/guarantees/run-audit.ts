import type { Execution } from './agent-log.js';
import type { Journal } from './journal.js';
import { FINAL_STATES, type RunFacts } from './records.js';

/** What was done between the two has its marks on both sides: a killed process had begun before, a lock ends later. */
const MARGIN_MS = 100;

/** What the records and the agents' own logs say about the runs. */
export interface RunAudit {
  runsCount: number;
  byState: Map<string, number>;
  executionsCount: number;
  /** Broken off by the death of their agent. */
  cutOffCount: number;
  /** Attempts whose handler was called a second time, after something that was done to the fleet. */
  repeatedCount: number;
  /** Of these: whose handler had come to its end before. */
  doneTwiceCount: number;
  /** Attempts whose handler was called a second time although nothing had happened. */
  uncausedCount: number;
  /** Runs whose result is not that of their newest dispatch. */
  wrongResultsCount: number;
  neverEndedCount: number;
  violations: string[];
}

/** Checks every run: it ended, its result is that of its newest dispatch, and nothing was done twice without a cause. */
export function auditRuns(runs: readonly RunFacts[], executions: readonly Execution[], journal: Journal): RunAudit {
  const violations: string[] = [];
  const byState = new Map<string, number>();
  const executionsOf = groupBy(executions, ({ runId }) => runId);
  let neverEndedCount = 0;
  let wrongResultsCount = 0;
  let uncausedCount = 0;
  for (const run of runs) {
    byState.set(run.state, (byState.get(run.state) ?? 0) + 1);
    if (!FINAL_STATES.has(run.state)) {
      neverEndedCount += 1;
      violations.push(`run ${run.runId} is still ${run.state}`);
    }
    const wrong = resultMistake(run, executionsOf.get(run.runId) ?? []);
    if (wrong === undefined) continue;
    wrongResultsCount += 1;
    violations.push(`run ${run.runId}: ${wrong}`);
  }

  let repeatedCount = 0;
  let doneTwiceCount = 0;
  for (const [attempt, repeats] of groupBy(executions, ({ key, attempt }) => `${key}, attempt ${attempt}`)) {
    repeats.slice(1).forEach((repeat, index) => {
      const before = repeats[index];
      repeatedCount += 1;
      if (before.ended === 'succeeded') doneTwiceCount += 1;
      // Another agent cannot know of a newer epoch: what a commander orders there that was frozen is done in vain.
      const isOfOneProcess = processOf(repeat) === processOf(before);
      if (isOfOneProcess && repeat.epoch <= before.epoch) {
        violations.push(`${attempt}: epoch ${repeat.epoch} came after ${before.epoch}`);
      }
      if (journal.hasAny(before.beganAt - MARGIN_MS, repeat.beganAt)) return;
      uncausedCount += 1;
      const both = JSON.stringify([before, repeat]);
      violations.push(`${attempt}: executed twice, and nothing was done to the fleet that explains it: ${both}`);
    });
  }
  const known = new Set(runs.map(({ runId }) => runId));
  for (const { runId, execution } of executions) {
    if (!known.has(runId)) violations.push(`${execution} executed run ${runId}, which has no record`);
  }
  return {
    runsCount: runs.length,
    byState,
    executionsCount: executions.length,
    cutOffCount: executions.filter(({ ended }) => ended === undefined).length,
    repeatedCount,
    doneTwiceCount,
    uncausedCount,
    wrongResultsCount,
    neverEndedCount,
    violations,
  };
}

/**
 * The accepted result is that of the newest dispatch: made by the execution that it began, or by an earlier one on the same agent,
 * which it joined.
 */
function resultMistake(run: RunFacts, executions: readonly Execution[]): string | undefined {
  if (run.isDivided || run.state !== 'succeeded') return undefined;
  const accepted = executions.find(({ execution }) => execution === run.execution);
  if (accepted === undefined) return `its result is of ${run.execution}, which no agent executed`;
  if (accepted.ended !== 'succeeded') return `its result is of ${run.execution}, which was ${accepted.ended}`;
  if (accepted.agentId !== run.agentId)
    return `its result is of ${accepted.agentId}, its newest dispatch of ${run.agentId}`;
  const newest = Math.max(...executions.map(({ epoch }) => epoch));
  if (newest > run.epoch) return `an agent executed epoch ${newest}, its record says ${run.epoch}`;
  const ofNewestDispatch = executions.find(({ epoch }) => epoch === run.epoch);
  if (ofNewestDispatch !== undefined && ofNewestDispatch !== accepted) {
    return `its result is of epoch ${accepted.epoch}, but epoch ${run.epoch} was executed`;
  }
  return undefined;
}

/** The newest good value of each key is that of the newest due time whose run succeeded. */
export function auditResults(
  runs: readonly RunFacts[],
  results: ReadonlyMap<string, { tickAt: number; stale: boolean }>,
): string[] {
  const violations: string[] = [];
  const withKey = runs.filter((run) => run.resultKey !== undefined && run.parentId === undefined);
  for (const [key, ofKey] of groupBy(withKey, (run) => run.resultKey as string)) {
    const tickOf = (run: RunFacts) => run.tickAt ?? run.createdAt;
    const newestGood = Math.max(-1, ...ofKey.filter(({ state }) => state === 'succeeded').map(tickOf));
    const stored = results.get(key);
    if ((stored?.tickAt ?? -1) !== newestGood) {
      violations.push(`result ${key} is of tick ${stored?.tickAt}, the newest good one is ${newestGood}`);
    }
  }
  return violations;
}

/** The agent process that made an execution: what comes before its number. */
function processOf({ execution }: Execution): string {
  return execution.slice(0, execution.lastIndexOf('-'));
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
