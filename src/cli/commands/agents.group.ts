import { type AgentView, agentStates } from '../../contract/agent.schema.js';
import { type CliGroup, type CliWord, defineCommand } from '../cli-command.js';
import { valueOption } from '../cli-option.js';
import { type Column, table } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import { listedTime, roughDuration } from '../output/time-text.js';
import type { Tone } from '../output/tone.js';
import { allPages, listAnswer, pagingOptions } from '../paging.js';
import { readChoice } from '../values/choice.value.js';

const idWord: CliWord = { name: 'ID', summary: 'the agent' };
const TONES: Record<AgentView['state'], Tone> = { up: 'good', suspect: 'doubtful', draining: 'doubtful', down: 'bad' };

const list = defineCommand({
  summary: 'who can execute, in the order of their ids',
  options: {
    state: valueOption('STATE', `only those that are ${agentStates.join(', ')}`, readChoice(agentStates)),
    ...pagingOptions,
  },
  async run({ client, options: { state, ...paging }, within }) {
    const { agents } = await client();
    const reply = await allPages((page) => agents.list({ state, ...page }, within()), paging);
    return listAnswer(reply, (terminal) => agentTable(reply.items, terminal));
  },
});

const drain = defineCommand({
  summary: 'give it no new run; those under way end in peace',
  words: [idWord],
  async run({ client, words: [agentId], within }) {
    const reply = await (await client()).agents.drain({ agentId }, within());
    return { reply, text: (terminal) => agentTable([reply], terminal) };
  },
});

const undrain = defineCommand({
  summary: 'give it runs again',
  words: [idWord],
  async run({ client, words: [agentId], within }) {
    const reply = await (await client()).agents.undrain({ agentId }, within());
    return { reply, text: (terminal) => agentTable([reply], terminal) };
  },
});

/** `agents …`. */
export const agentsGroup: CliGroup = { summary: 'who executes', actions: { list, drain, undrain } };

function agentTable(agents: readonly AgentView[], terminal: Terminal): string {
  const columns: Column<AgentView>[] = [
    { title: 'AGENT', cell: ({ agentId }) => agentId },
    { title: 'STATE', cell: ({ state }) => state, tone: ({ state }) => TONES[state] },
    { title: 'BUSY', cell: ({ inFlight, capacity }) => `${inFlight}/${capacity}`, align: 'right' },
    { title: 'ERRORS', cell: ({ errorRate }) => `${Math.round(errorRate * 100)} %`, align: 'right' },
    { title: 'P95', cell: ({ p95Ms }) => roughDuration(p95Ms), align: 'right' },
    { title: 'SEEN', cell: ({ lastSeenAt }) => listedTime(lastSeenAt, terminal) },
    { title: 'ADDRESS', cell: ({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`) },
    { title: 'VERSION', cell: ({ version }) => version },
    { title: 'JOBS', cell: ({ capabilities }) => capabilities.join(', '), isFlexible: true },
    { title: 'LABELS', cell: labelsText, isFlexible: true },
  ];
  return table(agents, columns, terminal, 'no agents');
}

function labelsText({ labels }: AgentView): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}
