import type { CommandReply } from '../contract/commands.js';
import type { CronTicks } from './cron-ticks.js';
import { localTime } from './local-time.js';
import { TickTimes, type Timing } from './tick-times.js';
import type { OffsetChange } from './zone-offsets.js';

export type PreviewWarning = CommandReply<'schedule.preview'>['warnings'][number];

export interface PreviewQuestion {
  timing: Timing & { maxRuns?: number };
  /** How many ticks at most. */
  count: number;
  /** First instant that counts. */
  from: number;
}

/** Changes of the clocks are looked for this far ahead, however soon the previewed ticks end. */
const LOOK_AHEAD_MS = 366 * 86_400_000;
/** Ticks that are stepped through to find where `maxRuns` ends a schedule; with more it is taken to go on. */
const MAX_STEPS_TO_END = 10_000;
const DAY_MS = 86_400_000;

/**
 * The next ticks of a timing, without jitter, and what is odd about it: pure arithmetic, as if a schedule were declared at
 * `from`. The changes of the clocks are examined one by one, never the ticks between them.
 * @throws CommandError INVALID_ARGUMENT for a cron expression or zone that does not exist
 */
export function previewTicks({ timing, count, from }: PreviewQuestion): { runs: number[]; warnings: PreviewWarning[] } {
  const times = new TickTimes(timing);
  const most = timing.maxRuns ?? Infinity;
  const runs: number[] = [];
  let tick = times.next(from - 1);
  for (; tick !== undefined && runs.length < Math.min(count, most); tick = times.next(tick)) runs.push(tick);
  if (runs.length === 0) return { runs, warnings: [neverFires(timing, from)] };
  if (times.cron === undefined) return { runs, warnings: [] };

  const first = Math.max(from, timing.startAt ?? from);
  const end = Math.min(endOf(times, timing, runs, tick) ?? first + LOOK_AHEAD_MS, timing.endAt ?? Infinity);
  const until = Math.max(end, runs[runs.length - 1]);
  const { cron } = times;
  const warnings = cron.zone
    // A day more: what is going to be repeated comes before the clocks are put back.
    .changes(first - 1, until + DAY_MS)
    .flatMap((change) => warningOf(times, cron, timing.timezone, change, until) ?? []);
  return { runs, warnings };
}

/** The last tick that there will be; undefined when it is not near. */
function endOf(
  times: TickTimes,
  { maxRuns = Infinity, endAt }: PreviewQuestion['timing'],
  runs: readonly number[],
  next: number | undefined,
): number | undefined {
  let last = runs[runs.length - 1];
  if (maxRuns > MAX_STEPS_TO_END) return next === undefined ? (endAt ?? last) : undefined;
  let tick = next;
  for (let step = runs.length; tick !== undefined && step < maxRuns; step += 1) {
    last = tick;
    tick = times.next(tick);
  }
  return tick === undefined ? (endAt ?? last) : last;
}

function neverFires({ cron, at, timezone, endAt, startAt }: Timing, from: number): PreviewWarning {
  const start = Math.max(from, startAt ?? from);
  const since = `from ${iso(start)} on`;
  let message = `no tick ${since}`;
  if (at !== undefined) message = `${iso(at)} is before ${iso(start)}`;
  if (cron !== undefined) message = `no time ${since} matches ${JSON.stringify(cron)} in ${timezone}`;
  if (endAt !== undefined) message = `no tick ${since} and until endAt, ${iso(endAt)}`;
  return { code: 'NEVER_FIRES', message };
}

/** What a change of the clocks does to the ticks up to an instant; undefined when no named time is left out or repeated. */
function warningOf(
  times: TickTimes,
  cron: CronTicks,
  timezone: string,
  change: OffsetChange,
  until: number,
): PreviewWarning | undefined {
  const isGap = change.offsetMs > change.offsetBeforeMs;
  const low = change.at + Math.min(change.offsetMs, change.offsetBeforeMs);
  const high = change.at + Math.max(change.offsetMs, change.offsetBeforeMs);
  const named = cron.expression.next(low);
  if (named === undefined || named >= high) return undefined;
  if ((isGap ? change.at : named - change.offsetBeforeMs) > until) return undefined;

  const also = cron.expression.next(named + 1_000);
  const others = also !== undefined && also < high ? ' (and others)' : '';
  const clocks = `clocks in ${timezone} go from ${clock(change.at + change.offsetBeforeMs)} to ${clock(change.at + change.offsetMs)}`;
  const what = `${day(named)} ${clock(named)}${others}`;
  const then = isGap ? insteadOfGap(times, cron, change, named) : insteadOfRepeat(cron, change, named);
  return {
    code: isGap ? 'DST_GAP' : 'DST_REPEAT',
    at: change.at,
    message: `${what} ${isGap ? 'does not exist' : 'comes twice'}, ${clocks}: ${then}`,
  };
}

function insteadOfGap(times: TickTimes, cron: CronTicks, change: OffsetChange, named: number): string {
  const { at, offsetMs, offsetBeforeMs } = change;
  if (offsetMs - offsetBeforeMs >= DAY_MS) return 'nothing fires for a day that never was';
  if (cron.expression.isFixedTime) return `fires once at ${localTime(at, offsetMs)} instead`;
  const next = times.next(at - 1);
  if (next === undefined) return 'it is left out';
  const { offsetMs: offsetThen } = cron.zone.segmentAt(next);
  const isInStep = next <= named - offsetBeforeMs;
  return `${isInStep ? 'the interval goes on' : 'it is left out and the interval goes on'} at ${localTime(next, offsetThen)}`;
}

function insteadOfRepeat(cron: CronTicks, { offsetMs, offsetBeforeMs }: OffsetChange, named: number): string {
  const first = localTime(named - offsetBeforeMs, offsetBeforeMs);
  if (cron.expression.isFixedTime) return `fires once, the first time, at ${first}`;
  return `an interval fires both times, at ${first} and ${localTime(named - offsetMs, offsetMs)}`;
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}

function day(wall: number): string {
  return iso(wall).slice(0, 10);
}

function clock(wall: number): string {
  const text = iso(wall).slice(11, 19);
  return text.endsWith(':00') ? text.slice(0, 5) : text;
}
