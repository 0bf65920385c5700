import { CronPattern } from 'croner';

const DAY_S = 86_400;
/** No expression is looked through beyond the last instant that commands accept, and a leap year more. */
const LAST_YEAR = 2_104;

/** What is kept of a parsed expression; not the parser's own object, which lists ten thousand years. */
type DateFields = Pick<
  CronPattern,
  'day' | 'month' | 'dayOfWeek' | 'lastDayOfMonth' | 'lastWeekday' | 'starDOM' | 'starDOW' | 'useAndLogic'
> & {
  /** Days of which the nearest weekday is meant. */
  nearestTo: number[];
};

/**
 * A cron expression on a calendar without zones: "wall" times are what a clock on the wall shows, as ms since the epoch of
 * a clock that shows UTC. Fields are parsed by croner; what matches is decided here.
 */
export class CronExpression {
  /** Seconds, minutes and hours are plain values, lists or ranges: times that somebody chose, not an interval. */
  readonly isFixedTime: boolean;
  private readonly date: DateFields;
  private readonly nextSecond: readonly number[];
  private readonly nextMinute: readonly number[];
  private readonly nextHour: readonly number[];

  /** @throws TypeError or RangeError of the parser */
  constructor(readonly text: string) {
    const pattern = new CronPattern(text, undefined, { mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' });
    const { day, month, dayOfWeek, lastDayOfMonth, lastWeekday, starDOM, starDOW, useAndLogic } = pattern;
    const nearestTo = pattern.nearestWeekdays.flatMap((set, at) => (set > 0 ? [at + 1] : []));
    this.date = { day, month, dayOfWeek, lastDayOfMonth, lastWeekday, nearestTo, starDOM, starDOW, useAndLogic };
    this.isFixedTime = pattern.isFixedTime;
    this.nextSecond = nextSet(pattern.second);
    this.nextMinute = nextSet(pattern.minute);
    this.nextHour = nextSet(pattern.hour);
  }

  /** The first wall time that matches, not before another one; undefined when there is none until 2104. */
  next(wallMs: number): number | undefined {
    const wallS = Math.ceil(wallMs / 1_000);
    const dayNumber = Math.floor(wallS / DAY_S);
    const date = new Date(dayNumber * DAY_S * 1_000);
    let year = date.getUTCFullYear();
    let month = date.getUTCMonth();
    let day = date.getUTCDate();

    if (this.date.month[month] && this.matchesDay(year, month, day, weekday(dayNumber))) {
      const timeS = this.nextTime(wallS - dayNumber * DAY_S);
      if (timeS !== undefined) return (dayNumber * DAY_S + timeS) * 1_000;
    }
    day += 1;
    for (; year <= LAST_YEAR; day = 1) {
      if (this.date.month[month]) {
        const firstOfMonth = Date.UTC(year, month, 1) / 1_000 / DAY_S;
        const last = daysIn(year, month);
        for (; day <= last; day += 1) {
          const found = firstOfMonth + day - 1;
          if (this.matchesDay(year, month, day, weekday(found))) return (found * DAY_S + this.firstTime()) * 1_000;
        }
      }
      month += 1;
      if (month === 12) {
        month = 0;
        year += 1;
      }
    }
    return undefined;
  }

  private firstTime(): number {
    return this.nextHour[0] * 3_600 + this.nextMinute[0] * 60 + this.nextSecond[0];
  }

  private nextTime(timeS: number): number | undefined {
    const hour = Math.floor(timeS / 3_600);
    const minute = Math.floor(timeS / 60) % 60;
    if (this.nextHour[hour] === hour) {
      if (this.nextMinute[minute] === minute) {
        const second = this.nextSecond[timeS % 60];
        if (second >= 0) return hour * 3_600 + minute * 60 + second;
      }
      const laterMinute = this.nextMinute[minute + 1];
      if (laterMinute >= 0) return hour * 3_600 + laterMinute * 60 + this.nextSecond[0];
    }
    const laterHour = this.nextHour[hour + 1];
    return laterHour < 0 ? undefined : laterHour * 3_600 + this.nextMinute[0] * 60 + this.nextSecond[0];
  }

  private matchesDay(year: number, month: number, day: number, onWeekday: number): boolean {
    const { date } = this;
    const byDate =
      date.day[day - 1] > 0 ||
      (date.lastDayOfMonth && day === daysIn(year, month)) ||
      (date.lastWeekday && day === nearestWeekday(year, month, daysIn(year, month))) ||
      date.nearestTo.some((wanted) => day === nearestWeekday(year, month, wanted));
    if (date.starDOW) return byDate;
    const byWeekday = isNthOfMonth(date.dayOfWeek[onWeekday], year, month, day);
    if (date.useAndLogic || date.starDOM) return byDate && byWeekday;
    return byDate || byWeekday;
  }
}

/** For every value the first set one that is not smaller, or -1; one entry more than there are values. */
function nextSet(values: readonly number[]): readonly number[] {
  const next = new Array<number>(values.length + 1).fill(-1);
  for (let at = values.length - 1; at >= 0; at -= 1) next[at] = values[at] > 0 ? at : next[at + 1];
  return next;
}

/** 0: Sunday. The epoch was a Thursday. */
function weekday(dayNumber: number): number {
  return (((dayNumber + 4) % 7) + 7) % 7;
}

function daysIn(year: number, month: number): number {
  if (month !== 1) return month === 3 || month === 5 || month === 8 || month === 10 ? 30 : 31;
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
}

/** The day from Monday to Friday that is nearest to a day, within its month; undefined when the month has no such day. */
function nearestWeekday(year: number, month: number, day: number): number | undefined {
  const last = daysIn(year, month);
  if (day > last) return undefined;
  const on = new Date(Date.UTC(year, month, day)).getUTCDay();
  if (on === 6) return day === 1 ? 3 : day - 1;
  if (on === 0) return day === last ? day - 2 : day + 1;
  return day;
}

const EVERY_WEEK = 63;
const LAST_WEEK = 32;

/** @param weeks bit n−1 for the nth of its kind in a month, the sixth for the last */
function isNthOfMonth(weeks: number, year: number, month: number, day: number): boolean {
  if (weeks === 0) return false;
  if (weeks === EVERY_WEEK) return true;
  if ((weeks & (1 << Math.floor((day - 1) / 7))) !== 0) return true;
  return (weeks & LAST_WEEK) !== 0 && day + 7 > daysIn(year, month);
}
