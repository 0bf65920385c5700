import { type Run, runStates } from '../../contract/run.schema.js';
import { type CliGroup, type CliWord, defineCommand } from '../cli-command.js';
import { flag, textOption, valueOption } from '../cli-option.js';
import { details, jsonBlock, sections } from '../output/details.js';
import { type Column, table } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import { fullTime, listedTime, roughDuration } from '../output/time-text.js';
import { allPages, listAnswer, pagingOptions } from '../paging.js';
import { readChoice } from '../values/choice.value.js';
import { readSince } from '../values/instant.value.js';
import { runErrorText, runTone } from './run-text.js';

const idWord: CliWord = { name: 'ID', summary: 'the run' };

const list = defineCommand({
  summary: 'runs, the newest first',
  options: {
    schedule: textOption('ID', 'only those of this schedule'),
    state: valueOption('STATE', `only those that are ${runStates.join(', ')}`, readChoice(runStates)),
    agent: textOption('ID', 'only those of this agent'),
    since: valueOption('1h|INSTANT', 'only those created since then', readSince),
    dead: flag('only those that failed for good or timed out, and were not retried'),
    ...pagingOptions,
  },
  async run({ client, options: { schedule, state, agent, since, dead, ...paging }, within }) {
    const { runs } = await client();
    const filter = { scheduleId: schedule, state, agentId: agent, since, deadLettersOnly: dead };
    const reply = await allPages((page) => runs.list({ ...filter, ...page }, within()), paging);
    return listAnswer(reply, (terminal) => runTable(reply.items, terminal));
  },
});

const get = defineCommand({
  summary: 'everything about one run',
  words: [idWord],
  async run({ client, words: [runId], within }) {
    const reply = await (await client()).runs.get({ runId }, within());
    return { reply, text: (terminal) => runDetails(reply, terminal) };
  },
});

const cancel = defineCommand({
  summary: 'end a run that has not ended',
  words: [idWord],
  options: { reason: textOption('TEXT', 'kept with the run and told to the agent') },
  async run({ client, words: [runId], options: { reason }, within }) {
    const reply = await (await client()).runs.cancel({ runId, reason }, within());
    return { reply, text: () => `${runId} is ${reply.state}` };
  },
});

const retry = defineCommand({
  summary: 'run it once more',
  words: [idWord],
  options: { 'on-other-agent': flag('prefer an agent that has not failed it') },
  async run({ client, words: [runId], options, within }) {
    const { runs } = await client();
    const reply = await runs.retry({ runId, onOtherAgent: options['on-other-agent'] }, within());
    return { reply, text: () => `${reply.runId} runs it once more` };
  },
});

/** `runs …`. */
export const runsGroup: CliGroup = {
  summary: 'what was executed, and how it went',
  actions: { list, get, cancel, retry },
};

function runTable(runs: readonly Run[], terminal: Terminal): string {
  const columns: Column<Run>[] = [
    { title: 'RUN', cell: ({ runId }) => runId },
    { title: 'STATE', cell: ({ state }) => state, tone: ({ state }) => runTone(state) },
    { title: 'CREATED', cell: ({ createdAt }) => listedTime(createdAt, terminal) },
    { title: 'TOOK', cell: tookText, align: 'right' },
    { title: 'ATTEMPT', cell: ({ attempt, maxAttempts }) => `${attempt}/${maxAttempts}`, align: 'right' },
    { title: 'AGENT', cell: ({ agentId }) => agentId ?? '' },
    { title: 'ERROR', cell: runErrorText, isFlexible: true },
    { title: 'GOES ON', cell: ({ dueAt }) => listedTime(dueAt, terminal) },
    { title: 'JOB', cell: ({ job }) => job.name },
    { title: 'SCHEDULE', cell: ({ scheduleId }) => scheduleId ?? '' },
    { title: 'WAS DUE', cell: ({ tickAt }) => listedTime(tickAt, terminal) },
  ];
  return table(runs, columns, terminal, 'no runs');
}

function runDetails(run: Run, terminal: Terminal): string {
  const facts: [string, string | undefined][] = [
    ['run', run.runId],
    ['state', run.state],
    ['error', runErrorText(run)],
    ['of agent', run.error?.agentId],
    ['schedule', run.scheduleId],
    ['was due', fullTime(run.tickAt, terminal)],
    ['job', run.job.name],
    ['attempt', `${run.attempt} of ${run.maxAttempts}`],
    ['agent', run.agentId],
    ['created', fullTime(run.createdAt, terminal)],
    ['goes on', fullTime(run.dueAt, terminal)],
    ['started', fullTime(run.startedAt, terminal)],
    ['finished', fullTime(run.finishedAt, terminal)],
    ['took', tookText(run)],
    ['result key', run.resultKey],
  ];
  return sections(
    details(facts, terminal),
    jsonBlock('payload', run.job.payload, terminal),
    jsonBlock('result', run.result, terminal),
  );
}

function tookText({ startedAt, finishedAt }: Run): string {
  return startedAt === undefined || finishedAt === undefined ? '' : roughDuration(Math.max(0, finishedAt - startedAt));
}
