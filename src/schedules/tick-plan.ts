import type { misfirePolicies } from '../contract/schedule.schema.js';

/** Ticks fired from one look at most; the rest follow at once with the next look. */
export const MAX_TICKS_PER_LOOK = 100;

export interface TickQuestion {
  /** First tick strictly after an instant. */
  next: (after: number) => number | undefined;
  /** The first tick that was not dealt with yet. */
  nextTickAt: number;
  now: number;
  /** A tick that is late by less is not a misfire. */
  misfireThresholdMs: number;
  misfire: (typeof misfirePolicies)[number];
  /** Ticks older than this are never caught up. */
  catchupWindowMs: number;
  /** How many ticks may still be fired; undefined: any number. */
  remainingRuns?: number;
}

export interface TickPlan {
  /** Ticks to fire now, the oldest first. */
  fire: number[];
  /** The first tick that is left; undefined when none will ever come. */
  nextTickAt: number | undefined;
}

/**
 * Which of the due ticks are fired. Those late by less than the threshold all are: a restart or a failover is no reason
 * to lose one. Of the older ones `skip` fires none, `once` the oldest within the catch-up window, `all` every one in it.
 */
export function planTicks(question: TickQuestion): TickPlan {
  const { next, nextTickAt, now, misfireThresholdMs, misfire, catchupWindowMs, remainingRuns = Infinity } = question;
  const fire: number[] = [];
  const most = Math.min(MAX_TICKS_PER_LOOK, remainingRuns);
  const overdueUntil = now - misfireThresholdMs;
  let tick: number | undefined = nextTickAt;

  if (tick < overdueUntil) {
    const oldest = Math.max(tick, now - catchupWindowMs);
    if (tick < oldest) tick = next(oldest - 1);
    if (misfire === 'all') {
      for (; tick !== undefined && tick < overdueUntil && fire.length < most; tick = next(tick)) fire.push(tick);
    } else if (tick !== undefined && tick < overdueUntil) {
      if (misfire === 'once' && most > 0) fire.push(tick);
      tick = next(overdueUntil - 1);
    }
  }
  for (; tick !== undefined && tick <= now && fire.length < most; tick = next(tick)) fire.push(tick);
  return { fire, nextTickAt: fire.length >= remainingRuns ? undefined : tick };
}
