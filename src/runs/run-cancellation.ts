import { Injectable } from '@nestjs/common';
import { AgentsService } from '../agents/agents.service.js';
import { CommandError } from '../contract/command-error.js';
import { isFinalRunState, type RunState } from '../contract/run.schema.js';
import type { RedisClient } from '../redis/redis-client.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { RunStore } from './run-store.js';
import { RunWaiters } from './run-waiters.js';

const MAX_CANCELLED = 1_000;

/** Ends a run from whichever replica is asked: in the record first, then at the agent. */
@Injectable()
export class RunCancellation {
  constructor(
    private readonly store: RunStore,
    private readonly agents: AgentsService,
    private readonly waiters: RunWaiters,
    private readonly keys: RedisKeys,
  ) {}

  /**
   * A run that has ended stays as it is.
   * @throws CommandError NOT_FOUND
   */
  async cancel(redis: RedisClient, namespace: string, runId: string, reason?: string): Promise<{ state: RunState }> {
    const run = await this.store.load(redis, namespace, runId);
    const message = reason === undefined ? 'cancelled' : `cancelled: ${reason}`;
    const outcome = run && (await this.store.cancel(redis, run, { code: 'CANCELLED', message, agentId: run.agentId }));
    if (outcome === undefined) throw new CommandError('NOT_FOUND', `no run ${runId}`);
    if (!outcome.cancelled) return { state: outcome.state };
    this.waiters.ended(namespace, runId);
    if (run?.state === 'running' && outcome.agentId !== undefined) {
      // Told twice, by call and with its next heartbeat: the call may not get through.
      await this.agents.requestCancel(namespace, outcome.agentId, runId);
      this.agents.cancel(namespace, outcome.agentId, runId, outcome.epoch ?? run.epoch, reason);
    }
    return { state: 'cancelled' };
  }

  /** Ends every run of a schedule that has not ended; at most the newest {@link MAX_CANCELLED}. */
  async cancelOfSchedule(redis: RedisClient, namespace: string, scheduleId: string, reason: string): Promise<void> {
    const ids = await redis.zrevrange(this.keys.key('runs-of', namespace, scheduleId), 0, MAX_CANCELLED - 1);
    const states = await Promise.all(ids.map((id) => redis.hget(this.keys.key('run', namespace, id), 'state')));
    const open = ids.filter((_id, at) => states[at] !== null && !isFinalRunState(states[at] as RunState));
    await Promise.all(open.map((runId) => this.cancel(redis, namespace, runId, reason)));
  }
}
