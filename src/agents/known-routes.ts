import type { AgentEntry } from './agent-entry.js';
import { routeAgents, type RoutedCandidates, type RouteQuery } from './agent-router.js';

/** Routes kept of one look at the agents. */
const MAX_ROUTES = 64;

interface KnownRoute {
  routed: RoutedCandidates;
  /** Redis's clock: until here nobody's lease runs out and nobody's ejection ends. */
  until: number;
}

/**
 * Routes that are the same for many runs. Whoever asks for any agent that can do a job, in turn or by load, gets the same candidates as long as
 * it is the same look at the agents: they are worked out once, not for every run.
 */
export class KnownRoutes {
  private readonly ofLook = new WeakMap<readonly AgentEntry[], Map<string, KnownRoute>>();

  /** As {@link routeAgents}. What it returns is shared. */
  route(agents: readonly AgentEntry[], query: RouteQuery, now: number): Readonly<RoutedCandidates> {
    if (!isCommon(query)) return routeAgents(agents, query, now);
    const routes = this.ofLook.get(agents) ?? new Map<string, KnownRoute>();
    this.ofLook.set(agents, routes);
    const key = `${query.route.strategy} ${query.jobName}`;
    const known = routes.get(key);
    if (known !== undefined && now < known.until) return known.routed;
    const routed = routeAgents(agents, query, now);
    if (routes.size < MAX_ROUTES || known !== undefined) routes.set(key, { routed, until: nextChange(agents, now) });
    return routed;
  }
}

/** Asks for nobody in particular. */
function isCommon({ route, preferAgentId, avoidAgentIds }: RouteQuery): boolean {
  const isOrdered = route.strategy === 'round-robin' || route.strategy === 'least-loaded';
  const isForAnyone = route.labels === undefined && route.agentIds === undefined;
  return isOrdered && isForAnyone && preferAgentId === undefined && !avoidAgentIds?.length;
}

function nextChange(agents: readonly AgentEntry[], now: number): number {
  let next = Infinity;
  for (const { leaseExpiresAt, suspectUntil } of agents) {
    if (leaseExpiresAt > now && leaseExpiresAt < next) next = leaseExpiresAt;
    if (suspectUntil > now && suspectUntil < next) next = suspectUntil;
  }
  return next;
}
