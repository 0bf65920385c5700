import type { CommandReply } from '../../contract/commands.js';
import { type CliGroup, defineCommand } from '../cli-command.js';
import { textOption } from '../cli-option.js';
import { details, jsonBlock, sections } from '../output/details.js';
import { type Column, table } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import { fullTime, listedTime } from '../output/time-text.js';
import { allPages, listAnswer, pagingOptions } from '../paging.js';

type ListedResult = CommandReply<'result.list'>['items'][number];

const list = defineCommand({
  summary: 'under which keys there is a result, without the values',
  options: pagingOptions,
  async run({ client, options, within }) {
    const { results } = await client();
    const reply = await allPages((page) => results.list(page, within()), options);
    return listAnswer(reply, (terminal) => resultTable(reply.items, terminal));
  },
});

const get = defineCommand({
  summary: 'the newest good value of a key',
  words: [{ name: 'KEY', summary: 'the result key' }],
  options: { field: textOption('PATH', 'only this part of the value: items.0.title') },
  async run({ client, words: [key], options: { field }, within }) {
    const reply = await (await client()).results.get({ key, field }, within());
    return { reply, text: (terminal) => resultDetails(reply, terminal) };
  },
});

/** `results …`. */
export const resultsGroup: CliGroup = { summary: 'what runs brought home', actions: { list, get } };

function resultTable(results: readonly ListedResult[], terminal: Terminal): string {
  const columns: Column<ListedResult>[] = [
    { title: 'KEY', cell: ({ key }) => key },
    { title: 'STORED', cell: ({ storedAt }) => listedTime(storedAt, terminal) },
    { title: 'STALE', cell: ({ stale }) => (stale ? 'stale' : ''), tone: () => 'doubtful' },
    { title: 'VERSION', cell: ({ version }) => String(version), align: 'right' },
    { title: 'WAS DUE', cell: ({ tickAt }) => listedTime(tickAt, terminal) },
    { title: 'RUN', cell: ({ runId }) => runId },
  ];
  return table(results, columns, terminal, 'no results');
}

function resultDetails(result: CommandReply<'result.get'>, terminal: Terminal): string {
  const facts: [string, string | undefined][] = [
    ['key', result.key],
    ['version', String(result.version)],
    ['stale', result.stale ? 'yes: a newer run failed since' : undefined],
    ['stored', fullTime(result.storedAt, terminal)],
    ['was due', fullTime(result.tickAt, terminal)],
    ['run', result.runId],
  ];
  return sections(details(facts, terminal), jsonBlock('value', result.value, terminal));
}
