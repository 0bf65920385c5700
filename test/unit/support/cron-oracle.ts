/**
 * A second opinion on cron ticks, by brute force and with nothing of src: every minute of UTC is put on the wall by
 * Intl.DateTimeFormat, the wall is matched against the expression, and the documented DST rule is applied to what the wall
 * did. Expressions are read by a parser of its own. Slow, and simple enough to be believed.
 */
const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;

/** What a zone's wall clock shows, minute by minute, for a stretch of UTC. */
export class Wall {
  /** Wall minute (minutes since the epoch of a clock that shows UTC) for every UTC minute from `firstMinute` on. */
  readonly shown: Int32Array;
  /** The smallest of them. */
  readonly lowest: number;

  constructor(
    readonly zone: string,
    readonly firstMinute: number,
    minutes: number,
  ) {
    this.shown = new Int32Array(minutes);
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    let lowest = Infinity;
    for (let at = 0; at < minutes; at += 1) {
      // MM/DD/YYYY, HH:MM:SS
      const text = format.format((firstMinute + at) * MINUTE_MS);
      if (text.length !== 20 || !text.endsWith(':00')) throw new Error(`${zone} is off by seconds: ${text}`);
      const day = dayNumber(digits(text, 6, 10), digits(text, 0, 2), digits(text, 3, 5));
      const minute = day * DAY_MINUTES + digits(text, 12, 14) * 60 + digits(text, 15, 17);
      this.shown[at] = minute;
      if (minute < lowest) lowest = minute;
    }
    this.lowest = lowest;
  }

  /** UTC instants at which the wall jumped. */
  jumps(): number[] {
    const found: number[] = [];
    for (let at = 1; at < this.shown.length; at += 1) {
      if (this.shown[at] !== this.shown[at - 1] + 1) found.push((this.firstMinute + at) * MINUTE_MS);
    }
    return found;
  }
}

function digits(text: string, from: number, until: number): number {
  let value = 0;
  for (let at = from; at < until; at += 1) value = value * 10 + text.charCodeAt(at) - 48;
  return value;
}

const dayNumbers = new Map<number, number>();

function dayNumber(year: number, month: number, day: number): number {
  const key = year * 10_000 + month * 100 + day;
  let known = dayNumbers.get(key);
  if (known === undefined) dayNumbers.set(key, (known = Date.UTC(year, month - 1, day) / MINUTE_MS / DAY_MINUTES));
  return known;
}

/**
 * Every tick from the second day of the wall to its end, in ms, by the documented rule. (The first day only says what was shown before.)
 */
export function ticksByBruteForce(expression: string, wall: Wall): number[] {
  const { minuteOfDay, seconds, isFixed, ...dates } = parse(expression);
  const { shown, firstMinute, lowest } = wall;
  const days: boolean[] = [];
  const matches = (wallMinute: number): boolean => {
    const minute = wallMinute % DAY_MINUTES;
    return minuteOfDay[minute] === 1 && (days[(wallMinute - minute) / DAY_MINUTES] ??= matchesDay(dates, wallMinute));
  };
  const wasShown = new Uint8Array(shown.length + 4 * DAY_MINUTES);
  const ticks: number[] = [];

  // Globals are slow to reach inside a test, and this turns a hundred million times: it uses none.
  for (let at = 0; at < shown.length; at += 1) {
    const minute = shown[at];
    const isRepeat = wasShown[minute - lowest] === 1;
    wasShown[minute - lowest] = 1;
    if (at < DAY_MINUTES) continue;
    const now = (firstMinute + at) * MINUTE_MS;

    const skippedMinutes = minute - shown[at - 1] - 1;
    let isLeftOver = false;
    if (isFixed && skippedMinutes > 0 && skippedMinutes < DAY_MINUTES) {
      for (let skipped = shown[at - 1] + 1; skipped < minute; skipped += 1) isLeftOver ||= matches(skipped);
    }
    const isDue = matches(minute) && !(isFixed && isRepeat);
    if (isLeftOver && !(isDue && seconds[0] === 0)) ticks.push(now);
    if (isDue) for (const second of seconds) ticks.push(now + second * 1_000);
  }
  return ticks;
}

interface Spec extends DateSpec {
  seconds: number[];
  minuteOfDay: Uint8Array;
  isFixed: boolean;
}

interface DateSpec {
  months: Set<number>;
  dateField: string;
  weekdayField: string;
}

const monthNames = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const dayNames = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

function parse(expression: string): Spec {
  const fields = expression.trim().toUpperCase().split(/\s+/);
  if (fields.length === 5) fields.unshift('0');
  const [second, minute, hour, dateField, month, weekdayField] = fields;
  const minuteOfDay = new Uint8Array(DAY_MINUTES);
  for (const h of values(hour, 0, 23)) for (const m of values(minute, 0, 59)) minuteOfDay[h * 60 + m] = 1;
  return {
    seconds: [...values(second, 0, 59)].sort((a, b) => a - b),
    minuteOfDay,
    isFixed: ![second, minute, hour].some((field) => /[*/]/.test(field)),
    months: values(named(month, monthNames, 1), 1, 12),
    dateField,
    weekdayField: named(weekdayField, dayNames, 0),
  };
}

function named(field: string, names: readonly string[], first: number): string {
  return names.reduce((text, name, at) => text.replaceAll(name, String(at + first)), field);
}

/** `*`, `n`, `a-b`, each with `/step`, in lists. */
function values(field: string, least: number, most: number): Set<number> {
  const found = new Set<number>();
  for (const part of field.split(',')) {
    const [range, step = '1'] = part.split('/');
    const [low, high = low] = range === '*' ? [least, most] : range.split('-').map(Number);
    for (let value = low; value <= high; value += Number(step)) found.add(value);
  }
  return found;
}

function matchesDay({ months, dateField, weekdayField }: DateSpec, wallMinute: number): boolean {
  const date = new Date(wallMinute * MINUTE_MS);
  if (!months.has(date.getUTCMonth() + 1)) return false;
  const both = weekdayField.startsWith('+');
  const weekdays = both ? weekdayField.slice(1) : weekdayField;
  const byDate = dateField.split(',').some((part) => matchesDate(part, date));
  const byWeekday = weekdays.split(',').some((part) => matchesWeekday(part, date));
  if (weekdays === '*') return byDate;
  if (dateField === '*' || both) return byDate && byWeekday;
  return byDate || byWeekday;
}

/** All dates of the month of a date. */
function monthOf(date: Date): Date[] {
  const days: Date[] = [];
  for (let day = 1; day <= 31; day += 1) {
    const other = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), day));
    if (other.getUTCMonth() === date.getUTCMonth()) days.push(other);
  }
  return days;
}

function matchesDate(part: string, date: Date): boolean {
  const days = monthOf(date);
  if (part === 'L') return date.getUTCDate() === days.length;
  if (part !== 'LW' && !part.endsWith('W')) return values(part, 1, 31).has(date.getUTCDate());
  const wanted = part === 'LW' ? days.length : Number(part.slice(0, -1));
  if (wanted > days.length) return false;
  const working = days.filter((day) => day.getUTCDay() % 6 !== 0).map((day) => day.getUTCDate());
  const nearest = working.sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted))[0];
  return date.getUTCDate() === nearest;
}

function matchesWeekday(part: string, date: Date): boolean {
  const alike = monthOf(date).filter((day) => day.getUTCDay() === date.getUTCDay());
  const nth = alike.findIndex((day) => day.getUTCDate() === date.getUTCDate()) + 1;
  const [weekday, which] = part.includes('#')
    ? part.split('#')
    : part.endsWith('L')
      ? [part.slice(0, -1), 'L']
      : [part];
  if (![...values(weekday, 0, 6)].some((value) => value % 7 === date.getUTCDay())) return false;
  if (which === undefined) return true;
  return which === 'L' ? nth === alike.length : nth === Number(which);
}
