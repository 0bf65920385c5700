import type { CommandReply } from '../../contract/commands.js';
import { CommandError } from '../../contract/command-error.js';
import type { CallOptions } from '../../sdk/command-group.js';
import type { CommanderClient } from '../../sdk/commander-client.js';
import { defineCommand } from '../cli-command.js';
import { lastDueTime, PROBE_COUNT } from '../last-due-time.js';
import { details, sections } from '../output/details.js';
import { type Column, table } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import { fullTime } from '../output/time-text.js';
import { readInstant } from '../values/instant.value.js';
import { timingOf } from './schedules.group.js';

type Explanation = CommandReply<'schedule.explain'>;

/** `explain ID AT`. */
export const explainCommand = defineCommand({
  summary: 'why a schedule did, or did not, run at one of its due times',
  words: [
    { name: 'ID', summary: 'the schedule' },
    { name: 'AT', summary: 'the due time: ISO 8601 with a zone, ms since the epoch, or `last`' },
  ],
  async run({ client, words: [id, when], within }) {
    const asked = when === 'last' ? undefined : readInstant(when);
    const commander = await client();
    const at = asked ?? (await lastDueTimeOf(commander, id, within()));
    const reply = await commander.schedules.explain({ id, at }, within());
    return { reply, text: (terminal) => explanationText(id, at, reply, terminal) };
  },
});

/**
 * The last due time that commander has dealt with. Where `jitterMs` is longer than the interval it may be an earlier one:
 * the next run does not tell which due time it belongs to.
 */
async function lastDueTimeOf({ schedules }: CommanderClient, id: string, within: CallOptions): Promise<number> {
  const schedule = await schedules.get({ id }, within);
  const { state, maxRuns, lastRun, nextRunAt, createdAt, jitterMs } = schedule;
  // The number of runs, not the timing, has ended it.
  if (state === 'ended' && maxRuns !== undefined && lastRun?.tickAt !== undefined) return lastRun.tickAt;
  const timing = { ...timingOf(schedule), maxRuns: undefined, jitterMs: 0 };
  const dueTimesFrom = async (from: number) =>
    (await schedules.preview({ ...timing, from, count: PROBE_COUNT }, within)).runs;
  const at = await lastDueTime(dueTimesFrom, createdAt, nextRunAt === undefined ? Date.now() : nextRunAt - jitterMs);
  if (at === undefined) throw new CommandError('NOT_FOUND', `schedule ${id} has not been due since it was created`);
  return at;
}

function explanationText(id: string, at: number, explanation: Explanation, terminal: Terminal): string {
  const { outcome, reasons, agentsConsidered } = explanation;
  const columns: Column<Explanation['agentsConsidered'][number]>[] = [
    { title: 'AGENT', cell: ({ agentId }) => agentId },
    {
      title: '',
      cell: ({ chosen }) => (chosen ? 'chosen' : 'not chosen'),
      tone: ({ chosen }) => (chosen ? 'good' : 'faint'),
    },
    { title: 'WHY', cell: ({ reason }) => reason ?? '', isFlexible: true },
  ];
  const facts: [string, string | undefined][] = [
    ['schedule', id],
    ['due', fullTime(at, terminal)],
    ['outcome', outcome],
    ...reasons.map((reason, index): [string, string] => [index === 0 ? 'because' : '', reason]),
  ];
  return sections(details(facts, terminal), table(agentsConsidered, columns, terminal, ''));
}
