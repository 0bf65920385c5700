import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import { CommandError } from '../contract/command-error.js';
import type { Route } from '../contract/job.schema.js';
import { AgentConnectionPool } from './agent-connection-pool.js';
import { AgentDirectory } from './agent-directory.js';
import { AgentPlace, placeName } from './agent-place.js';
import { CallStop } from './call-stop.js';
import type { PlaceQuery } from './acquire.lua.js';
import { AgentRecords, type AgentSnapshot, type TakenPlace, takenPlace } from './agent-records.js';
import { KnownRoutes } from './known-routes.js';
import type { ReleasedPlace } from './release.lua.js';
import { type AgentConsidered, routeAgents, type RoutedCandidates } from './agent-router.js';

export type { AgentConsidered, AgentPlace, PlaceQuery, ReleasedPlace, TakenPlace };
export { CallStop, takenPlace };

/** When nobody has a place, a look older than this is repeated before that is believed. */
const BELIEVED_FOR_MS = 100;
/** How long an agent may take to answer that it aborted a run. */
const CANCEL_TIMEOUT_MS = 2_000;
/** Agents listed in the details of NO_AGENT. */
const MAX_CONSIDERED = 50;

/** One attempt that looks for an agent. */
export interface AcquireRequest {
  namespace: string;
  route: Route;
  jobName: string;
  runId: string;
  /** Fencing epoch of the attempt. */
  epoch: number;
  /** The place falls back by itself after this: the attempt's timeout and some more. */
  leaseMs: number;
  /** Asked first, if it matches the route and is up. */
  preferAgentId?: string;
  /** Asked last, for instance because they failed this run before. */
  avoidAgentIds?: readonly string[];
  /** ms since the epoch by this process's clock. Default: COMMAND_TIMEOUT_MS from now. */
  deadlineAt?: number;
}

/** Takes a place at one of the candidates of the query; `rejected` are those that are none. */
export type PlaceTaker = (query: PlaceQuery, rejected: readonly AgentConsidered[]) => Promise<TakenPlace>;

/** A place that was taken. */
export type GivenPlace = Extract<TakenPlace, { taken: true }>;

/** Where a place may be looked for. */
export interface RoutedPlace {
  query: PlaceQuery;
  /** Who may not execute, and why. */
  rejected: readonly AgentConsidered[];
}

/** What runs need of agents: a place at one that can do the job. */
@Injectable()
export class AgentsService {
  private readonly routes = new KnownRoutes();

  constructor(
    private readonly directory: AgentDirectory,
    private readonly records: AgentRecords,
    private readonly pool: AgentConnectionPool,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /**
   * Finds an agent by the route and takes one of its places, over all replicas at once.
   * @param taker takes the place, together with whatever else must happen then or not at all
   * @throws CommandError NO_AGENT with `details.agentsConsidered` when none matches or none has a place; UNAVAILABLE when
   * Redis did not answer by the deadline
   */
  async acquire(request: AcquireRequest, taker?: PlaceTaker): Promise<AgentPlace> {
    const { namespace } = request;
    const deadlineAt = request.deadlineAt ?? Date.now() + this.settings.commandTimeoutMs;
    const take = taker ?? ((query: PlaceQuery) => this.records.acquire(query, deadlineAt));

    const maxAgeMs = maxAgeOf(request);
    const known =
      this.directory.known(namespace, maxAgeMs) ?? (await this.directory.agents(namespace, deadlineAt, maxAgeMs));
    let attempt = await this.tryAcquire(request, known, take);
    if (!attempt.taken) {
      // Somebody may have come, or been ejected, since the look that this was based on.
      const snapshot = await this.directory.agents(namespace, deadlineAt, BELIEVED_FOR_MS);
      attempt = await this.tryAcquire(request, snapshot, take);
    }
    if (!attempt.taken) throw noAgent(request, attempt.considered);
    return this.held(request, attempt.place);
  }

  /**
   * Where a place may be looked for by a script that takes it (acquire.lua.ts), without a wait for Redis beyond a look at the agents.
   * @returns undefined when nobody may execute now
   * @throws CommandError UNAVAILABLE when Redis did not answer by the deadline
   */
  async route(request: AcquireRequest): Promise<RoutedPlace | undefined> {
    const deadlineAt = request.deadlineAt ?? Date.now() + this.settings.commandTimeoutMs;
    const { namespace } = request;
    const maxAgeMs = maxAgeOf(request);
    const { agents, now } =
      this.directory.known(namespace, maxAgeMs) ?? (await this.directory.agents(namespace, deadlineAt, maxAgeMs));
    const routed = this.routes.route(agents, request, now);
    if (routed.candidates.length === 0) return undefined;
    return { query: this.query(request, routed), rejected: routed.rejected };
  }

  /** Looks at the agents of a namespace ahead of those who will want to know; what fails is told to them. */
  lookAhead(namespace: string): void {
    this.directory.agents(namespace, Date.now() + this.settings.commandTimeoutMs).catch(() => undefined);
  }

  /** What a script that gives places back along with something else reads behind its own arguments (release.lua.ts). */
  get releaseRules(): readonly number[] {
    return this.records.releaseRules;
  }

  /** The place that a script took for a request: whoever asks for it must release it. */
  held(
    { namespace, runId, epoch }: Pick<AcquireRequest, 'namespace' | 'runId' | 'epoch'>,
    place: GivenPlace,
  ): AgentPlace {
    const { agentId, instanceEpoch, host, port, takenAt } = place;
    const held = { namespace, agentId, instanceEpoch, host, port, runId, epoch, takenAt };
    return new AgentPlace(held, this.pool, this.records, this.directory);
  }

  /**
   * Every agent that may execute now, whether it has a free place or not: those a broadcast goes to.
   * @throws CommandError UNAVAILABLE when Redis did not answer by the deadline
   */
  async matching(
    { namespace, route, jobName }: Pick<AcquireRequest, 'namespace' | 'route' | 'jobName'>,
    deadlineAt: number,
  ): Promise<{ agentIds: string[]; considered: AgentConsidered[] }> {
    const { agents, now } = await this.directory.agents(namespace, deadlineAt, BELIEVED_FOR_MS);
    const routed = routeAgents(agents, { route: { ...route, strategy: 'round-robin' }, jobName }, now);
    const agentIds = routed.candidates.map(({ agentId }) => agentId).sort();
    return { agentIds, considered: routed.rejected };
  }

  /**
   * Asks an agent over its connection to abort a run. A call may get lost; `requestCancel` gets through later.
   * @returns whether the agent said that it aborted it. Never throws.
   */
  async cancel(
    namespace: string,
    agentId: string,
    runId: string,
    epoch: number,
    reason?: string,
    deadlineAt = Date.now() + CANCEL_TIMEOUT_MS,
  ): Promise<boolean> {
    try {
      const { agents } = await this.directory.agents(namespace, deadlineAt);
      const agent = agents.find((candidate) => candidate.agentId === agentId);
      if (!agent) return false;
      const { instanceEpoch, host, port } = agent;
      const target = { namespace, agentId, instanceEpoch, host, port };
      const data = reason === undefined ? { runId, epoch } : { runId, epoch, reason: reason.slice(0, 512) };
      const response = await this.pool.call(target, 'agent.cancel', data, { deadlineAt });
      return (response as { cancelled?: unknown }).cancelled === true;
    } catch {
      return false;
    }
  }

  /**
   * Lets the agent's heartbeats ask it to abort a run, for a minute or until its place is given back.
   * @returns false when there is no such agent
   * @throws CommandError UNAVAILABLE when Redis did not answer by the deadline
   */
  async requestCancel(
    namespace: string,
    agentId: string,
    runId: string,
    deadlineAt = Date.now() + this.settings.commandTimeoutMs,
  ): Promise<boolean> {
    return this.records.requestCancel(namespace, agentId, runId, deadlineAt);
  }

  /** Agents not down in the namespaces in use, sockets to agents open now, and dials since the start. */
  stats(): { agentCount: number; connectionCount: number; dialledCount: number } {
    const { connectionCount, dialledCount } = this.pool.stats();
    return { agentCount: this.directory.knownCount(), connectionCount, dialledCount };
  }

  private async tryAcquire(
    request: AcquireRequest,
    snapshot: AgentSnapshot,
    take: PlaceTaker,
  ): Promise<{ taken: true; place: GivenPlace } | { taken: false; considered: AgentConsidered[] }> {
    const routed = this.routes.route(snapshot.agents, request, snapshot.now);
    if (routed.candidates.length === 0) return { taken: false, considered: routed.rejected };
    const place = await take(this.query(request, routed), routed.rejected);
    if (place.taken) return { taken: true, place };
    return { taken: false, considered: [...place.reasons, ...routed.rejected] };
  }

  private query({ namespace, runId, epoch, leaseMs }: AcquireRequest, routed: RoutedCandidates): PlaceQuery {
    return this.records.placeQuery(namespace, routed, placeName(runId, epoch), leaseMs);
  }
}

/** For how long a look is believed, where not as usual: who looks for another agent must not miss one that has just come. */
function maxAgeOf({ avoidAgentIds = [] }: AcquireRequest): number | undefined {
  return avoidAgentIds.length > 0 ? BELIEVED_FOR_MS : undefined;
}

function noAgent({ namespace, jobName }: AcquireRequest, considered: readonly AgentConsidered[]): CommandError {
  const agentsConsidered = considered.slice(0, MAX_CONSIDERED);
  const message =
    considered.length === 0
      ? `namespace ${namespace} has no agents`
      : `none of ${considered.length} agents can take job ${jobName} now`;
  return new CommandError('NO_AGENT', message, { agentsConsidered });
}
