import { Injectable } from '@nestjs/common';
import type { AgentView } from '../contract/agent.schema.js';
import { CommandError } from '../contract/command-error.js';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import { BrokenRecordError } from '../redis/broken-record.error.js';
import { type AgentEntry, agentState } from './agent-entry.js';
import { summarizeOutcomes } from './agent-health.js';
import { AgentRecords } from './agent-records.js';

/** Agents as people see them, read anew each time. */
@Injectable()
export class AgentListing {
  constructor(private readonly records: AgentRecords) {}

  /**
   * A page of agents in the order of their ids. The cursor holds when agents come and go in between. One whose record is broken is named
   * whatever the filter, and counts as one of the page.
   * @throws CommandError INVALID_ARGUMENT for a cursor that is none of ours
   */
  async page(request: CommandRequest<'agent.list'>, deadlineAt: number): Promise<CommandReply<'agent.list'>> {
    const { namespace, state, limit, cursor } = request;
    const after = cursor === undefined ? '' : agentIdOf(cursor);
    const { now, agents, broken } = await this.records.snapshot(namespace, deadlineAt);
    const fitting = agents.filter((agent) => state === undefined || agentState(agent, now) === state);
    const rest = [...fitting, ...broken]
      .filter((one) => idOf(one) > after)
      .sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
    const page = rest.slice(0, limit);
    const shown = page.filter((one): one is AgentEntry => !(one instanceof BrokenRecordError));
    const items = await this.views(namespace, shown, now, deadlineAt);
    const named = page.filter((one) => one instanceof BrokenRecordError).map(({ id, why }) => ({ agentId: id, why }));
    const last = page.at(-1);
    return {
      items,
      ...(named.length === 0 ? {} : { broken: named }),
      ...(rest.length > page.length && last ? { nextCursor: cursorOf(idOf(last)) } : {}),
    };
  }

  /** @throws CommandError NOT_FOUND, BROKEN_RECORD */
  async one(namespace: string, agentId: string, deadlineAt: number): Promise<AgentView> {
    const { now, agents, broken } = await this.records.snapshot(namespace, deadlineAt);
    const unreadable = broken.find(({ id }) => id === agentId);
    if (unreadable !== undefined) throw unreadable;
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
      reportedInFlight: agent.reportedInFlight,
      lastSeenAt: agent.lastSeenAt,
      ...summarizeOutcomes(outcomes[i] ?? []),
    }));
  }
}

/** The answer to a command about an agent that is not there. */
export function noSuchAgent(namespace: string, agentId: string): CommandError {
  return new CommandError('NOT_FOUND', `namespace ${namespace} has no agent ${agentId}`);
}

function idOf(one: AgentEntry | BrokenRecordError): string {
  return one instanceof BrokenRecordError ? one.id : one.agentId;
}

function cursorOf(agentId: string): string {
  return Buffer.from(agentId).toString('base64url');
}

function agentIdOf(cursor: string): string {
  const agentId = Buffer.from(cursor, 'base64url').toString();
  if (cursorOf(agentId) !== cursor || agentId === '') throw new CommandError('INVALID_ARGUMENT', 'unknown cursor');
  return agentId;
}
