import type { CommandReply } from '../../contract/commands.js';
import type { ScheduleView } from '../../contract/schedule.schema.js';
import { details, jsonBlock, sections } from '../output/details.js';
import { type Column, table } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import { exactDuration, fullTime, listedTime, relativeTime, roughDuration, utc } from '../output/time-text.js';
import type { Tone } from '../output/tone.js';
import { runTone } from './run-text.js';

const TONES: Record<ScheduleView['state'], Tone | undefined> = { active: 'good', paused: 'doubtful', ended: 'faint' };

/** When a schedule is due, in words. */
function timingText({ cron, everyMs, at, timezone }: Partial<ScheduleView>): string {
  if (cron !== undefined) return timezone === undefined || timezone === 'UTC' ? cron : `${cron} ${timezone}`;
  if (everyMs !== undefined) return `every ${exactDuration(everyMs)}`;
  return at === undefined ? '' : `at ${utc(at)}`;
}

/** Schedules as a table. */
export function scheduleTable(schedules: readonly ScheduleView[], terminal: Terminal): string {
  const columns: Column<ScheduleView>[] = [
    { title: 'SCHEDULE', cell: ({ id }) => id },
    { title: 'STATE', cell: ({ state }) => state, tone: ({ state }) => TONES[state] },
    { title: 'TIMING', cell: timingText },
    { title: 'NEXT', cell: ({ nextRunAt }) => listedTime(nextRunAt, terminal) },
    {
      title: 'LAST RUN',
      cell: ({ lastRun }) => lastRun?.state ?? '',
      tone: ({ lastRun }) => lastRun && runTone(lastRun.state),
    },
    { title: 'WAS DUE', cell: ({ lastRun }) => listedTime(lastRun?.tickAt, terminal) },
    { title: 'JOB', cell: ({ job }) => job.name },
    { title: 'REASON', cell: ({ pausedReason }) => pausedReason ?? '', isFlexible: true },
    { title: 'OWNER', cell: ({ owner }) => owner ?? '' },
    { title: 'TAGS', cell: ({ tags }) => tags.join(', '), isFlexible: true },
  ];
  return table(schedules, columns, terminal, 'no schedules');
}

/** Everything about one schedule. */
export function scheduleDetails(schedule: ScheduleView, terminal: Terminal): string {
  const { job, lastRun, retry, route, ticks } = schedule;
  const facts: [string, string | undefined][] = [
    ['schedule', schedule.id],
    ['state', schedule.state],
    ['paused', fullTime(schedule.pausedAt, terminal)],
    ['reason', schedule.pausedReason],
    ['timing', timingText(schedule)],
    ['starts', fullTime(schedule.startAt, terminal)],
    ['ends', fullTime(schedule.endAt, terminal)],
    ['at most', schedule.maxRuns === undefined ? undefined : `${schedule.maxRuns} runs`],
    ['jitter', schedule.jitterMs === 0 ? undefined : `up to ${exactDuration(schedule.jitterMs)}`],
    ['next', fullTime(schedule.nextRunAt, terminal)],
    ['last run', lastRun && `${lastRun.runId}, ${lastRun.state}`],
    ['was due', fullTime(lastRun?.tickAt, terminal)],
    [
      'claimed',
      schedule.latenessMs === undefined ? undefined : `${roughDuration(schedule.latenessMs)} after it was due`,
    ],
    ['due times', ticks && ticksText(ticks)],
    ['job', job.name],
    ['route', routeText(route)],
    ['timeout', exactDuration(schedule.timeoutMs)],
    ['attempts', `${retry.maxAttempts}, ${retry.backoff} pause from ${exactDuration(retry.delayMs)}`],
    ['misfire', `${schedule.misfire}, within ${exactDuration(schedule.catchupWindowMs)}`],
    ['overlap', schedule.overlap],
    ['result key', schedule.resultKey],
    ['tags', schedule.tags.join(', ')],
    ['owner', schedule.owner],
    ['version', `${schedule.version}, stored ${relativeTime(schedule.updatedAt, terminal.now)}`],
    ['created', fullTime(schedule.createdAt, terminal)],
  ];
  return sections(details(facts, terminal), jsonBlock('payload', job.payload, terminal));
}

/** Due times to come, and what is odd about them. */
export function previewText({ runs, warnings }: CommandReply<'schedule.preview'>, terminal: Terminal): string {
  const columns: Column<number>[] = [
    { title: 'DUE', cell: utc },
    { title: '', cell: (at) => relativeTime(at, terminal.now) },
  ];
  const warningColumns: Column<(typeof warnings)[number]>[] = [
    { title: 'WARNING', cell: ({ code }) => code, tone: () => 'doubtful' },
    { title: 'AT', cell: ({ at }) => (at === undefined ? '' : utc(at)) },
    { title: 'MEANING', cell: ({ message }) => message, isFlexible: true },
  ];
  return sections(
    table(runs, columns, terminal, 'never due'),
    warnings.length === 0 ? '' : table(warnings, warningColumns, terminal, ''),
  );
}

/** What a sync did, or would do. */
export function syncText(reply: CommandReply<'schedule.sync'>, isDryRun: boolean, terminal: Terminal): string {
  const { created, updated, unchanged, removed } = reply;
  const told = (ids: readonly string[]) => (ids.length === 0 ? '0' : `${ids.length}: ${ids.join(', ')}`);
  const facts: [string, string][] = [
    [isDryRun ? 'would create' : 'created', told(created)],
    [isDryRun ? 'would update' : 'updated', told(updated)],
    [isDryRun ? 'would remove' : 'removed', told(removed)],
    ['unchanged', String(unchanged.length)],
  ];
  return details(facts, terminal);
}

function ticksText({ demandedCount, firedCount, lateCount, skippedCount, missedCount }: ScheduleView['ticks']): string {
  return `${demandedCount}: ${firedCount} fired, ${lateCount} late, ${skippedCount} skipped, ${missedCount} missed`;
}

function routeText({ strategy, labels, agentIds, stickyKey }: ScheduleView['route']): string {
  const limits = [
    ...Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`),
    ...(agentIds === undefined ? [] : [`only ${agentIds.join(', ')}`]),
    ...(stickyKey === undefined ? [] : [`key ${stickyKey}`]),
  ];
  return [strategy, ...limits].join('; ');
}
