import type { AgentEntry } from '../../src/agents/agent-entry.js';

/** Redis's clock of what {@link agentEntry} makes. */
export const NOW = 1_000_000;

/** An agent that is up at {@link NOW} and for a second from then. */
export function agentEntry(agentId: string, more: Partial<AgentEntry> = {}): AgentEntry {
  return {
    agentId,
    instanceEpoch: 1,
    host: '127.0.0.1',
    port: 1,
    labels: {},
    capabilities: ['job'],
    capacity: 10,
    version: '1',
    lastSeenAt: NOW,
    leaseExpiresAt: NOW + 1_000,
    isDraining: false,
    placesTaken: 0,
    reportedInFlight: 0,
    suspectUntil: 0,
    ejectedAt: 0,
    ejections: 0,
    ...more,
  };
}
