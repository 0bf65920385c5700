import { Injectable } from '@nestjs/common';
import type { AgentView } from '../contract/agent.schema.js';
import { CommandError } from '../contract/command-error.js';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import { type AgentEntry, agentState } from './agent-entry.js';
import { summarizeOutcomes } from './agent-health.js';
import { AgentRecords } from './agent-records.js';

/** Agents as people see them, read anew each time. */
@Injectable()
export class AgentListing {
  constructor(private readonly records: AgentRecords) {}

  /**
   * A page of agents in the order of their ids. The cursor holds when agents come and go in between.
   * @throws CommandError INVALID_ARGUMENT for a cursor that is none of ours
   */
  async page(request: CommandRequest<'agent.list'>, deadlineAt: number): Promise<CommandReply<'agent.list'>> {
    const { namespace, state, limit, cursor } = request;
    const after = cursor === undefined ? '' : agentIdOf(cursor);
    const { now, agents } = await this.records.snapshot(namespace, deadlineAt);
    const rest = agents
      .filter((agent) => agent.agentId > after && (state === undefined || agentState(agent, now) === state))
      .sort((a, b) => (a.agentId < b.agentId ? -1 : 1));
    const shown = rest.slice(0, limit);
    const items = await this.views(namespace, shown, now, deadlineAt);
    const last = shown.at(-1);
    return rest.length > shown.length && last ? { items, nextCursor: cursorOf(last.agentId) } : { items };
  }

  /** @throws CommandError NOT_FOUND */
  async one(namespace: string, agentId: string, deadlineAt: number): Promise<AgentView> {
    const { now, agents } = await this.records.snapshot(namespace, deadlineAt);
    const agent = agents.find((candidate) => candidate.agentId === agentId);
    if (!agent) throw noSuchAgent(namespace, agentId);
    const [view] = await this.views(namespace, [agent], now, deadlineAt);
    return view as AgentView;
  }

  private async views(
    namespace: string,
    agents: readonly AgentEntry[],
    now: number,
    deadlineAt: number,
  ): Promise<AgentView[]> {
    const ids = agents.map(({ agentId }) => agentId);
    const outcomes = await this.records.outcomes(namespace, ids, deadlineAt);
    return agents.map((agent, i) => ({
      agentId: agent.agentId,
      host: agent.host,
      port: agent.port,
      labels: { ...agent.labels },
      capabilities: [...agent.capabilities],
      capacity: agent.capacity,
      version: agent.version,
      instanceEpoch: agent.instanceEpoch,
      state: agentState(agent, now),
      inFlight: agent.placesTaken,
      lastSeenAt: agent.lastSeenAt,
      ...summarizeOutcomes(outcomes[i] ?? []),
    }));
  }
}

/** The answer to a command about an agent that is not there. */
export function noSuchAgent(namespace: string, agentId: string): CommandError {
  return new CommandError('NOT_FOUND', `namespace ${namespace} has no agent ${agentId}`);
}

function cursorOf(agentId: string): string {
  return Buffer.from(agentId).toString('base64url');
}

function agentIdOf(cursor: string): string {
  const agentId = Buffer.from(cursor, 'base64url').toString();
  if (cursorOf(agentId) !== cursor || agentId === '') throw new CommandError('INVALID_ARGUMENT', 'unknown cursor');
  return agentId;
}
