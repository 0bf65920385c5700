import type { CommandInput } from '../../contract/commands.js';
import type { ScheduleSpecInput } from '../../contract/schedule.schema.js';
import { type CliAnswer, type CliGroup, type CliWord, defineCommand } from '../cli-command.js';
import { flag, textOption, valueOption } from '../cli-option.js';
import { details, jsonBlock, sections } from '../output/details.js';
import { allPages, listAnswer, pagingOptions } from '../paging.js';
import { UsageError } from '../usage.error.js';
import { readChoice } from '../values/choice.value.js';
import { readDuration } from '../values/duration.value.js';
import { readInstant } from '../values/instant.value.js';
import { type Json, readJson, readJsonFile } from '../values/json.value.js';
import { readWholeNumber } from '../values/whole-number.value.js';
import { previewText, scheduleDetails, scheduleTable, syncText } from './schedule-text.js';

const idWord: CliWord = { name: 'ID', summary: 'the schedule' };
/** The longest that the contract lets a request wait. */
const RUN_WITHIN_MS = 600_000;
/** A sync may declare 10,000 schedules. */
const SYNC_WITHIN_MS = 60_000;

const list = defineCommand({
  summary: 'all schedules, in the order of their ids',
  options: {
    tag: textOption('TAG', 'only those with this tag'),
    enabled: valueOption('yes|no', 'only those declared as enabled, or as not enabled', readChoice(['yes', 'no'])),
    ...pagingOptions,
  },
  async run({ client, options: { tag, enabled, ...paging }, within }) {
    const { schedules } = await client();
    const filter = { tag, enabled: enabled === undefined ? undefined : enabled === 'yes' };
    const reply = await allPages((page) => schedules.list({ ...filter, ...page }, within()), paging);
    return listAnswer(reply, (terminal) => scheduleTable(reply.items, terminal));
  },
});

const get = defineCommand({
  summary: 'everything about one schedule',
  words: [idWord],
  async run({ client, words: [id], within }) {
    const reply = await (await client()).schedules.get({ id }, within());
    return { reply, text: (terminal) => scheduleDetails(reply, terminal) };
  },
});

const pause = defineCommand({
  summary: 'fire no more until resumed',
  words: [idWord],
  options: { reason: textOption('TEXT', 'shown to whoever wonders') },
  async run({ client, words: [id], options: { reason }, within }) {
    const reply = await (await client()).schedules.pause({ id, reason }, within());
    return { reply, text: (terminal) => scheduleDetails(reply, terminal) };
  },
});

const resume = defineCommand({
  summary: 'fire again',
  words: [idWord],
  options: { 'catch-up': flag('deal with what fell into the pause as the misfire policy says; else it is skipped') },
  async run({ client, words: [id], options, within }) {
    const reply = await (await client()).schedules.resume({ id, catchUp: options['catch-up'] }, within());
    return { reply, text: (terminal) => scheduleDetails(reply, terminal) };
  },
});

const trigger = defineCommand({
  summary: 'run its job now, whatever its timing says',
  words: [idWord],
  options: {
    wait: flag('until the run has ended, and print its result (up to 10 minutes, or --timeout)'),
    payload: valueOption('JSON', 'in place of the payload of the schedule', readJson),
    agent: textOption('ID', 'only this agent'),
    key: textOption('KEY', 'idempotency key: a second trigger with it answers with the first one’s run'),
  },
  async run({ client, words: [id], options: { wait, payload, agent, key }, within }): Promise<CliAnswer> {
    const { schedules } = await client();
    const input = { id, wait, payload, agentId: agent, idempotencyKey: key };
    const reply = await schedules.trigger(input, within(wait ? RUN_WITHIN_MS : undefined));
    return {
      reply,
      text: (terminal) =>
        sections(
          details(
            [
              ['run', reply.runId],
              ['', reply.deduplicated ? 'of an earlier trigger with this key' : undefined],
            ],
            terminal,
          ),
          jsonBlock('result', reply.result, terminal),
        ),
    };
  },
});

const remove = defineCommand({
  summary: 'forget the schedule; its past runs stay',
  words: [idWord],
  options: { 'cancel-running': flag('cancel its runs that have not ended, too') },
  async run({ client, words: [id], options, within }) {
    const { schedules } = await client();
    const reply = await schedules.remove({ id, cancelRunning: options['cancel-running'] }, within());
    return { reply, text: () => (reply.removed ? `${id} is removed` : `there was no schedule ${id}`) };
  },
});

const preview = defineCommand({
  summary: 'when a stored schedule, or a timing given here, is due; nothing is stored',
  words: [{ ...idWord, summary: 'a stored schedule, in place of a timing', isOptional: true }],
  options: {
    cron: textOption('EXPRESSION', '5 or 6 fields, seconds first'),
    every: valueOption('DURATION', 'a fixed interval', readDuration),
    at: valueOption('INSTANT', 'once', readInstant),
    timezone: textOption('ZONE', 'IANA zone of the cron expression (default UTC)'),
    'start-at': valueOption('INSTANT', 'not due before', readInstant),
    'end-at': valueOption('INSTANT', 'not due after', readInstant),
    'max-runs': valueOption('COUNT', 'not due more often', readWholeNumber(1, 1_000_000_000)),
    jitter: valueOption('DURATION', 'each is delayed by a share of this', readDuration),
    count: valueOption('COUNT', 'how many to show (default 10)', readWholeNumber(1, 1_000)),
    from: valueOption('INSTANT', 'begin here (default now)', readInstant),
  },
  async run({ client, words: [id], options, within }) {
    const { count, from, ...given } = options;
    const timing: Partial<CommandInput<'schedule.preview'>> = {
      cron: given.cron,
      everyMs: given.every,
      at: given.at,
      timezone: given.timezone,
      startAt: given['start-at'],
      endAt: given['end-at'],
      maxRuns: given['max-runs'],
      jitterMs: given.jitter,
    };
    const isGiven = Object.values(timing).some((value) => value !== undefined);
    if (isGiven === (id !== undefined)) {
      throw new UsageError('give either the ID of a schedule or a timing: --cron, --every or --at');
    }
    const { schedules } = await client();
    const asked = id === undefined ? timing : timingOf(await schedules.get({ id }, within()));
    const reply = await schedules.preview({ ...asked, count, from }, within());
    return { reply, text: (terminal) => previewText(reply, terminal) };
  },
});

const sync = defineCommand({
  summary: 'make an owner’s set of schedules what a file says it is',
  words: [
    { name: 'FILE', summary: 'JSON: a list of schedules, or an object with it as `records`; - is the standard input' },
  ],
  options: {
    owner: textOption('NAME', 'whose set it is; needed'),
    prune: flag('remove schedules of this owner that the file does not name'),
    'dry-run': flag('tell the difference, change nothing'),
  },
  async run({ client, words: [path], options, within }) {
    const { owner, prune } = options;
    if (owner === undefined) throw new UsageError('--owner is needed: it says whose set of schedules this is');
    const records = recordsOf(path, await readJsonFile(path));
    const { schedules } = await client();
    const reply = await schedules.sync({ records, owner, prune, dryRun: options['dry-run'] }, within(SYNC_WITHIN_MS));
    return { reply, text: (terminal) => syncText(reply, options['dry-run'] === true, terminal) };
  },
});

/** `schedules …`. */
export const schedulesGroup: CliGroup = {
  summary: 'what is due when',
  actions: { list, get, pause, resume, trigger, remove, preview, sync },
};

/** What `schedule.preview` asks for, of a stored schedule. Its id is part of it: the jitter depends on it. */
export function timingOf(schedule: CommandInput<'schedule.preview'>): CommandInput<'schedule.preview'> {
  const { id, cron, everyMs, at, timezone, startAt, endAt, maxRuns, jitterMs } = schedule;
  return { id, cron, everyMs, at, timezone, startAt, endAt, maxRuns, jitterMs };
}

function recordsOf(path: string, json: Json): ScheduleSpecInput[] {
  const records = json !== null && typeof json === 'object' && !Array.isArray(json) ? json.records : json;
  if (!Array.isArray(records)) {
    throw new UsageError(`${path}: expected a list of schedules, or an object with it as "records"`);
  }
  // What is wrong with one of them, commander tells, and changes nothing.
  return records as unknown as ScheduleSpecInput[];
}
