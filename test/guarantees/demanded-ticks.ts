import { CronExpressionParser } from 'cron-parser';
import type { ScheduleSpecInput } from '../../src/contract/schedule.schema.js';

/** What decides about the due times of a schedule. */
export type TimingInput = Pick<ScheduleSpecInput, 'cron' | 'everyMs' | 'at' | 'timezone' | 'startAt' | 'endAt'>;

/**
 * The due times after one instant and up to another one, which is included: worked out from the declaration alone, with
 * nothing of the product in it.
 */
export function demandedTicks(timing: TimingInput, after: number, until: number): number[] {
  const startAt = timing.startAt === undefined ? -Infinity : Number(timing.startAt);
  const endAt = timing.endAt === undefined ? Infinity : Number(timing.endAt);
  const last = Math.min(until, endAt);
  const isWanted = (tick: number): boolean => tick > after && tick >= startAt && tick <= last;
  if (timing.at !== undefined) return [Number(timing.at)].filter(isWanted);
  return (timing.everyMs === undefined ? cronTicks(timing, after, last) : intervalTicks(timing, after, last)).filter(
    isWanted,
  );
}

function intervalTicks({ everyMs = 1, startAt = 0 }: TimingInput, after: number, last: number): number[] {
  const anchor = Number(startAt);
  const ticks: number[] = [];
  const from = Math.max(0, Math.floor((after - anchor) / everyMs));
  for (let number = from; anchor + number * everyMs <= last; number += 1) ticks.push(anchor + number * everyMs);
  return ticks;
}

function cronTicks({ cron = '', timezone = 'UTC' }: TimingInput, after: number, last: number): number[] {
  const expression = CronExpressionParser.parse(cron, { currentDate: new Date(after), tz: timezone });
  const ticks: number[] = [];
  for (;;) {
    const tick = expression.next().getTime();
    if (tick > last) return ticks;
    ticks.push(tick);
  }
}
