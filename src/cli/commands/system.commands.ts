import type { CommandReply } from '../../contract/commands.js';
import { defineCommand } from '../cli-command.js';
import { details, sections } from '../output/details.js';
import { type Column, table } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import { roughDuration } from '../output/time-text.js';

type Health = CommandReply<'system.health'>;
type Stats = CommandReply<'system.stats'>;

/** `health`. */
export const healthCommand = defineCommand({
  summary: 'whether this replica serves, and what it lacks; exit code 1 when it does not',
  async run({ client, within }) {
    const reply = await (await client()).system.health({}, within());
    return { reply, text: (terminal) => healthText(reply, terminal), isBad: reply.status !== 'ok' };
  },
});

/** `stats`. */
export const statsCommand = defineCommand({
  summary: 'what this replica is doing',
  async run({ client, within }) {
    const reply = await (await client()).system.stats({}, within());
    return { reply, text: (terminal) => statsText(reply, terminal) };
  },
});

function healthText({ status, checks }: Health, terminal: Terminal): string {
  const columns: Column<[string, Health['checks'][string]]>[] = [
    { title: 'CHECK', cell: ([name]) => name },
    {
      title: 'STATUS',
      cell: ([, check]) => check.status,
      tone: ([, check]) => (check.status === 'up' ? 'good' : 'bad'),
    },
    { title: 'WHY', cell: ([, check]) => check.message ?? '', isFlexible: true },
  ];
  return sections(details([['status', status]], terminal), table(Object.entries(checks), columns, terminal, ''));
}

function statsText(stats: Stats, terminal: Terminal): string {
  const { connections, memory, queue, lateness, dispatch, repairs } = stats;
  const facts: [string, string][] = [
    ['up for', roughDuration(stats.uptimeMs)],
    ['connections', `${connections.tcpCount} of ${connections.tcpMaxCount}, ${connections.agentCount} to agents`],
    ['commands', `${stats.inFlightCommands} in flight`],
    [
      'memory',
      `${mebibytes(memory.rssBytes)} resident, heap ${mebibytes(memory.heapUsedBytes)} of ${mebibytes(memory.heapLimitBytes)}, external ${mebibytes(memory.externalBytes)}`,
    ],
    [
      'queue',
      `${queue.waitingCount} waiting and ${queue.waitingHereCount} here, ${queue.activeCount} active, ${queue.delayedCount} delayed; ${queue.dueCount} due times to come`,
    ],
    ['lateness', `p50 ${roughDuration(lateness.p50Ms)}, p99 ${roughDuration(lateness.p99Ms)}, of ${lateness.count}`],
    [
      'dispatched',
      `${dispatch.totalCount}, ${dispatch.failedCount} of them failed; ${Math.round(dispatch.perSecond * 100) / 100} a second`,
    ],
    ['repairs', `${repairs.totalCount}, ${repairs.takeoversCount} of them taken over from a replica that is gone`],
    ['replicas', String(stats.replicaCount)],
  ];
  return details(facts, terminal);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
