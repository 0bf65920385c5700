import type { AgentState } from '../contract/agent.schema.js';

/** An agent as the records have it. Instants are ms since the epoch by Redis's clock. */
export interface AgentEntry {
  readonly agentId: string;
  readonly instanceEpoch: number;
  readonly host: string;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly capabilities: readonly string[];
  readonly capacity: number;
  readonly version: string;
  readonly lastSeenAt: number;
  readonly leaseExpiresAt: number;
  readonly isDraining: boolean;
  /** Runs that hold one of its places, over all replicas. */
  readonly placesTaken: number;
  /** Runs under way as the agent itself told last. */
  readonly reportedInFlight: number;
  /** 0, or until when it is ejected. */
  readonly suspectUntil: number;
  /** 0, or when it was last ejected, or last failed while ejected. */
  readonly ejectedAt: number;
  /** Ejections since it last proved itself. */
  readonly ejections: number;
}

/** What a person calls the agent's condition at an instant of Redis's clock; an earlier line wins over a later one. */
export function agentState(agent: AgentEntry, now: number): AgentState {
  if (agent.isDraining) return 'draining';
  if (agent.leaseExpiresAt <= now) return 'down';
  if (agent.suspectUntil > now) return 'suspect';
  return 'up';
}
