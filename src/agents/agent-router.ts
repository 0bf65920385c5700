import type { Route } from '../contract/job.schema.js';
import { type AgentEntry, agentState } from './agent-entry.js';
import { maxEjected } from './agent-health.js';
import { bucketOf, rendezvousOrder } from './rendezvous-hash.js';

/** Counters of turns per namespace: routes that share one only take turns together. */
const TURN_BUCKETS = 256;

/** In which order tiers are tried; lower first. Beginning with `ejected`, agents are tried although they are ejected. */
export const tiers = { preferred: 1, normal: 2, avoided: 3, ejected: 4, ejectedAndAvoided: 5 } as const;
export type Tier = (typeof tiers)[keyof typeof tiers];

/** What is to be routed. */
export interface RouteQuery {
  route: Route;
  jobName: string;
  /** Tried first, if it matches and is up. */
  preferAgentId?: string;
  /** Tried last. */
  avoidAgentIds?: readonly string[];
}

/** Why an agent was not chosen. */
export interface AgentConsidered {
  agentId: string;
  reason: string;
}

/** Who may execute, in the order in which to ask. */
export interface RoutedCandidates {
  candidates: { agentId: string; tier: Tier }[];
  /** How candidates of one tier are taken: as listed, in turn, or by load with ties in turn. */
  order: 'given' | 'rotated' | 'least-loaded';
  /** Whose turns are counted. */
  bucket: number;
  /** Every agent that is no candidate. */
  rejected: AgentConsidered[];
}

/**
 * Chooses who may execute.
 * @param now Redis's clock, ms since the epoch
 * @param random 0 to below 1
 */
export function routeAgents(
  agents: readonly AgentEntry[],
  query: RouteQuery,
  now: number,
  random: () => number = Math.random,
): RoutedCandidates {
  const rejected: AgentConsidered[] = [];
  const usable: AgentEntry[] = [];
  for (const agent of agents) {
    const reason = mismatch(agent, query) ?? unusable(agent, now);
    if (reason === undefined) usable.push(agent);
    else rejected.push({ agentId: agent.agentId, reason });
  }

  const ejected = usable
    .filter((agent) => agent.suspectUntil > now)
    .sort((a, b) => a.ejectedAt - b.ejectedAt || compareIds(a, b));
  // Errors everywhere are rarely the fault of every agent: who was ejected longest ago is tried, rather than nobody.
  const triedCount = Math.max(0, ejected.length - maxEjected(usable.length));
  const tried = ejected.slice(0, triedCount);
  for (const { agentId } of ejected.slice(triedCount)) rejected.push({ agentId, reason: 'suspect' });

  const fit = usable.filter((agent) => agent.suspectUntil <= now);
  const avoid = new Set(query.avoidAgentIds);
  const candidates = [
    ...ordered(fit, query, random).map((agentId) => ({ agentId, tier: fitTier(agentId, query.preferAgentId, avoid) })),
    ...tried.map(({ agentId }) => ({ agentId, tier: avoid.has(agentId) ? tiers.ejectedAndAvoided : tiers.ejected })),
  ].sort((a, b) => a.tier - b.tier);

  const { strategy } = query.route;
  return {
    candidates,
    order: strategy === 'round-robin' ? 'rotated' : strategy === 'least-loaded' ? 'least-loaded' : 'given',
    bucket: bucketOf(routeSignature(query), TURN_BUCKETS),
    rejected,
  };
}

function mismatch(agent: AgentEntry, { route, jobName }: RouteQuery): string | undefined {
  if (route.agentIds && !route.agentIds.includes(agent.agentId)) return 'not one of the agentIds of the route';
  if (!agent.capabilities.includes(jobName)) return `has no handler for job ${jobName}`;
  for (const [label, value] of Object.entries(route.labels ?? {})) {
    const actual = Object.hasOwn(agent.labels, label) ? agent.labels[label] : undefined;
    if (actual === undefined) return `has no label ${label}`;
    if (actual !== value) return `label ${label} is ${actual}, not ${value}`;
  }
  return undefined;
}

function unusable(agent: AgentEntry, now: number): string | undefined {
  const state = agentState(agent, now);
  return state === 'up' || state === 'suspect' ? undefined : state;
}

function fitTier(agentId: string, preferAgentId: string | undefined, avoid: ReadonlySet<string>): Tier {
  if (agentId === preferAgentId) return tiers.preferred;
  return avoid.has(agentId) ? tiers.avoided : tiers.normal;
}

function ordered(agents: readonly AgentEntry[], { route, jobName }: RouteQuery, random: () => number): string[] {
  // By id first: whatever rotates must rotate over the same order on every replica.
  const ids = [...agents].sort(compareIds).map(({ agentId }) => agentId);
  if (route.strategy === 'random') return shuffled(ids, random);
  if (route.strategy === 'sticky') return rendezvousOrder(route.stickyKey ?? jobName, ids);
  return ids;
}

function shuffled(ids: string[], random: () => number): string[] {
  for (let i = ids.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [ids[i], ids[other]] = [ids[other] as string, ids[i] as string];
  }
  return ids;
}

function compareIds(a: AgentEntry, b: AgentEntry): number {
  return a.agentId < b.agentId ? -1 : 1;
}

/** Routes with the same set of agents in mind take turns together; others must not skew each other's. */
function routeSignature({ route, jobName }: RouteQuery): string {
  const labels = Object.entries(route.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([route.strategy, jobName, labels, [...(route.agentIds ?? [])].sort()]);
}
