import type { misfirePolicies } from '../contract/schedule.schema.js';
import type { TickSpan } from './tick-span.js';

/** Ticks fired from one look at most; the rest follow at once with the next look. */
export const MAX_TICKS_PER_LOOK = 100;
/** Ticks of a cron expression that are stepped over in one look at most: each costs a few microseconds. */
const MAX_TICKS_STEPPED_OVER = 5_000;

export interface TickQuestion {
  times: {
    /** First tick strictly after an instant. */
    next(after: number): number | undefined;
    /** The ticks from one of them up to an instant, which is not included. */
    span(from: number, until: number, limit: number): TickSpan;
  };
  /** The first tick that was not dealt with yet. */
  nextTickAt: number;
  now: number;
  /** Whether a tick's jitter is over, too. Default: it has none. */
  isDue?(tickAt: number): boolean;
  /** A tick that is late by less is not a misfire. Of a schedule with jitter: with the longest that it may have. */
  misfireThresholdMs: number;
  misfire: (typeof misfirePolicies)[number];
  /** Ticks older than this are never caught up. */
  catchupWindowMs: number;
  /** Ticks up to this instant fell into a pause that was ended without catching up. */
  skipUntil?: number;
  /** How many ticks may still be fired; undefined: any number. */
  remainingRuns?: number;
}

/** Why ticks were not fired. `skipped`: somebody wanted it so. `missed`: nobody could, and the policy does not catch up. */
export type GapReason = 'paused' | 'misfire-skip' | 'misfire-once' | 'catchup-window';

/** One tick to fire, or a run of ticks that are not. */
export type PlannedTicks =
  | { fire: true; tickAt: number }
  | { fire: false; from: number; to: number; count: number; outcome: 'skipped' | 'missed'; reason: GapReason };

export interface TickPlan {
  /** In the order of their instants; every tick up to `nextTickAt` is in exactly one of them. */
  entries: PlannedTicks[];
  /** The first tick that is left; undefined when none will ever come. */
  nextTickAt: number | undefined;
}

/**
 * What becomes of the due ticks. Those late by less than the threshold are fired: a restart or a failover is no reason to
 * lose one. Of the older ones `skip` fires none, `once` the newest, `all` every one, and none beyond the catch-up window.
 */
export function planTicks(question: TickQuestion): TickPlan {
  const { times, now, remainingRuns = Infinity } = question;
  const entries: PlannedTicks[] = [];
  const mostFired = Math.min(MAX_TICKS_PER_LOOK, remainingRuns);
  let tick: number | undefined = question.nextTickAt;
  let firedCount = 0;
  let steppedCount = 0;

  while (tick !== undefined && tick <= now && firedCount < mostFired && steppedCount < MAX_TICKS_STEPPED_OVER) {
    const gap = gapAt(question, tick);
    if (gap === undefined) {
      if (question.isDue?.(tick) === false) break;
      entries.push({ fire: true, tickAt: tick });
      firedCount += 1;
      tick = times.next(tick);
      continue;
    }
    const { until, outcome, reason, firesNewest } = gap;
    const span = times.span(tick, until, MAX_TICKS_STEPPED_OVER);
    steppedCount += span.steps;
    const isWhole = span.next === undefined || span.next >= until;
    if (firesNewest && isWhole) {
      if (span.beforeLast !== undefined) {
        entries.push({ fire: false, from: tick, to: span.beforeLast, count: span.count - 1, outcome, reason });
      }
      entries.push({ fire: true, tickAt: span.last });
      firedCount += 1;
    } else {
      entries.push({ fire: false, from: tick, to: span.last, count: span.count, outcome, reason });
    }
    tick = span.next;
  }
  return { entries, nextTickAt: tick };
}

interface Gap {
  /** The reason holds for every tick before this instant. */
  until: number;
  outcome: 'skipped' | 'missed';
  reason: GapReason;
  /** The newest of them is fired after all. */
  firesNewest: boolean;
}

function gapAt(
  { now, misfireThresholdMs, misfire, catchupWindowMs, skipUntil }: TickQuestion,
  tick: number,
): Gap | undefined {
  if (skipUntil !== undefined && tick <= skipUntil) {
    return { until: Math.min(skipUntil, now) + 1, outcome: 'skipped', reason: 'paused', firesNewest: false };
  }
  const overdueUntil = now - misfireThresholdMs;
  if (tick >= overdueUntil) return undefined;
  const windowFrom = Math.min(now - catchupWindowMs, overdueUntil);
  if (tick < windowFrom) return { until: windowFrom, outcome: 'missed', reason: 'catchup-window', firesNewest: false };
  if (misfire === 'all') return undefined;
  const reason = misfire === 'skip' ? 'misfire-skip' : 'misfire-once';
  return { until: overdueUntil, outcome: 'missed', reason, firesNewest: misfire === 'once' };
}
