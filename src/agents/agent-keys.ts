import { Injectable } from '@nestjs/common';
import { RedisKeys } from '../redis/redis-keys.js';

/** Keys of one agent. */
export interface OneAgentKeys {
  /** Hash: registration, lease-independent state, health. */
  record: string;
  /** Sorted set `runId#epoch` → when the place falls back by itself. */
  places: string;
  /** List of the last outcomes, newest first. */
  outcomes: string;
  /** Sorted set runId → until when heartbeats repeat that it shall be aborted. */
  cancels: string;
}

/** Names of everything that agents keep in Redis. The scripts build the names of one agent in the same way. */
@Injectable()
export class AgentKeys {
  constructor(private readonly keys: RedisKeys) {}

  /** What all of them start with. */
  get all(): string {
    return this.keys.key();
  }

  /** Sorted set agentId → when its lease runs out. */
  agents(namespace: string): string {
    return this.keys.key('agents', namespace);
  }

  /** Hash route bucket → turns taken, for strategies that rotate. */
  turns(namespace: string): string {
    return this.keys.key('agents', namespace, 'turns');
  }

  /** What the key of each agent's record starts with, before `:agentId`. */
  agentPrefix(namespace: string): string {
    return this.keys.key('agent', namespace);
  }

  agent(namespace: string, agentId: string): OneAgentKeys {
    return {
      record: this.keys.key('agent', namespace, agentId),
      places: this.keys.key('agent', namespace, agentId, 'places'),
      outcomes: this.keys.key('agent', namespace, agentId, 'outcomes'),
      cancels: this.keys.key('agent', namespace, agentId, 'cancels'),
    };
  }
}
