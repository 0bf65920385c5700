import { jitterOf } from '../../src/schedules/jitter.js';
import type { Declared } from './declaring-app.js';
import { demandedTicks } from './demanded-ticks.js';
import type { LedgerEntry, RunFacts, ScheduleFacts } from './records.js';
import type { MixedSchedule } from './schedule-mix.js';

/** A due time that was pending when its schedule was paused may be this old at most; older ones had to be dealt with. */
const PENDING_MS = 2_000;
/** The run's record is written by the step that reads the clock for the last time. */
const EARLY_TOLERANCE_MS = 1;

/** What became of the due times of one schedule, or of many. */
export interface TickCounts {
  demanded: number;
  fired: number;
  late: number;
  /** By reason. */
  skipped: Map<string, number>;
  missed: Map<string, number>;
}

export interface TickAudit {
  counts: TickCounts;
  /** ms from when a tick was due until its run was made, in order of size. */
  latenessMs: number[];
  /** When its runs were due and made, ms since the epoch. */
  firings: { dueAt: number; madeAt: number }[];
  /** Every due time, and how the ledger says that it ended. */
  outcomes: Map<number, string>;
  /** Ticks that have not as many runs as the ledger says: one, or none. */
  wrongRunsCount: number;
  violations: string[];
}

/** Compares what a schedule's declaration demanded with its counters, its ledger and its runs. */
export function auditTicks(
  { spec }: MixedSchedule,
  declared: Declared,
  schedule: ScheduleFacts,
  runs: readonly RunFacts[],
): TickAudit {
  const violations: string[] = [];
  const complain = (what: string) => violations.push(`${spec.id}: ${what}`);
  const { ledger, counts, nextTickAt } = schedule;

  const lastDealtWith = nextTickAt === undefined ? lastEnd(ledger, spec.maxRuns !== undefined) : nextTickAt - 1;
  const until = Math.min(lastDealtWith, Date.now());
  const demanded = demandedTicks(spec, declared.askedAt, until).filter((tick) => tick >= declared.firstTickAt);
  const [first] = demandedTicks(spec, declared.askedAt, declared.firstTickAt);
  const firstAfterwards = demandedTicks(spec, schedule.createdAt, declared.firstTickAt);
  // Its first due time is one of its timing, and none was left out but what passed while it was being declared.
  if (first === undefined) complain(`began with ${declared.firstTickAt}, which is no due time`);
  if (firstAfterwards.length > 1) complain(`began with ${declared.firstTickAt}, leaving out due times before`);
  if (nextTickAt !== undefined && schedule.pausedAt !== undefined && nextTickAt < schedule.pausedAt - PENDING_MS) {
    complain(`was not dealt with from ${nextTickAt} on, ${schedule.pausedAt - nextTickAt} ms before its end`);
  }

  const sum = counts.fired + counts.late + counts.skipped + counts.missed;
  if (sum !== demanded.length) complain(`${demanded.length} ticks were demanded, ${sum} are counted`);

  const outcomes = new Map<number, string>();
  const reasons = { skipped: new Map<string, number>(), missed: new Map<string, number>() };
  const inLedger = { fired: 0, late: 0, skipped: 0, missed: 0 };
  for (const { from, to, count, outcome, reason } of ledger) {
    const covered = demanded.filter((tick) => tick >= from && tick <= to);
    if (covered.length !== count)
      complain(`ledger: ${outcome} ${from}…${to} says ${count}, demanded are ${covered.length}`);
    for (const tick of covered) {
      if (outcomes.has(tick)) complain(`ledger: tick ${tick} is both ${outcomes.get(tick)} and ${outcome}`);
      outcomes.set(tick, outcome);
    }
    inLedger[outcome as keyof typeof inLedger] += count;
    if (outcome === 'skipped' || outcome === 'missed') {
      reasons[outcome].set(reason, (reasons[outcome].get(reason) ?? 0) + count);
    }
  }
  for (const tick of demanded) if (!outcomes.has(tick)) complain(`ledger: nothing is said about tick ${tick}`);
  for (const outcome of ['fired', 'late', 'skipped', 'missed'] as const) {
    if (inLedger[outcome] !== counts[outcome]) {
      complain(`${counts[outcome]} ${outcome} are counted, ${inLedger[outcome]} in the ledger`);
    }
  }
  checkReasons(spec, reasons, complain);
  const madeCount = counts.fired + counts.late;
  if (
    spec.maxRuns !== undefined &&
    (madeCount > spec.maxRuns || (nextTickAt === undefined && madeCount < spec.maxRuns))
  ) {
    complain(`made ${madeCount} runs, maxRuns is ${spec.maxRuns}`);
  }

  const tickRuns = runs.filter((run) => run.tickAt !== undefined && run.parentId === undefined);
  const runsOfTick = new Map<number, number>();
  const firings: TickAudit['firings'] = [];
  for (const { tickAt = 0, createdAt, runId } of tickRuns) {
    runsOfTick.set(tickAt, (runsOfTick.get(tickAt) ?? 0) + 1);
    const outcome = outcomes.get(tickAt);
    if (outcome !== 'fired' && outcome !== 'late') complain(`run ${runId}, but its tick is ${outcome ?? 'none'}`);
    const dueAt = tickAt + jitterOf('default', spec.id, tickAt, spec.jitterMs ?? 0);
    if (createdAt < dueAt - EARLY_TOLERANCE_MS) complain(`tick ${tickAt} was fired ${dueAt - createdAt} ms too early`);
    firings.push({ dueAt, madeAt: createdAt });
  }
  let wrongRunsCount = 0;
  for (const [tick, outcome] of outcomes) {
    const made = runsOfTick.get(tick) ?? 0;
    const wanted = outcome === 'fired' || outcome === 'late' ? 1 : 0;
    if (made === wanted) continue;
    wrongRunsCount += 1;
    complain(`tick ${tick} is ${outcome}, and has ${made} runs`);
  }
  checkOverlap(spec.overlap ?? 'allow', tickRuns, complain);

  return {
    counts: { demanded: demanded.length, fired: counts.fired, late: counts.late, ...reasons },
    latenessMs: firings.map(({ dueAt, madeAt }) => Math.max(0, madeAt - dueAt)).sort((a, b) => a - b),
    firings,
    outcomes,
    wrongRunsCount,
    violations,
  };
}

/** Up to where a schedule that has ended was dealt with: to its end, or to the run that was its last. */
function lastEnd(ledger: readonly LedgerEntry[], hasMaxRuns: boolean): number {
  return hasMaxRuns ? Math.max(0, ...ledger.map(({ to }) => to)) : Infinity;
}

/** A tick may only be skipped or missed for a reason that its schedule's policies give. */
function checkReasons(
  { misfire = 'once', overlap = 'allow', id }: MixedSchedule['spec'],
  { skipped, missed }: Pick<TickCounts, 'skipped' | 'missed'>,
  complain: (what: string) => void,
): void {
  const allowed = new Set(['catchup-window', `misfire-${misfire}`]);
  if (id.startsWith('paused')) allowed.add('paused');
  if (overlap === 'skip' || overlap === 'buffer-one') allowed.add('overlap');
  for (const reason of [...skipped.keys(), ...missed.keys()]) {
    if (!allowed.has(reason)) complain(`ticks ended as ${reason}, which its policies do not allow`);
  }
}

/** By the records: with any policy but `allow`, a run begins only after the one before it has ended. */
function checkOverlap(overlap: string, runs: readonly RunFacts[], complain: (what: string) => void): void {
  if (overlap === 'allow') return;
  const began = runs
    .filter((run) => run.startedAt !== undefined)
    .sort((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0));
  began.slice(1).forEach((run, index) => {
    const before = began[index];
    if ((before.finishedAt ?? Infinity) > (run.startedAt ?? 0)) {
      complain(`run ${run.runId} began before ${before.runId} had ended`);
    }
  });
}
