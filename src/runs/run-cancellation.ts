import { Injectable } from '@nestjs/common';
import { AgentsService } from '../agents/agents.service.js';
import { CommandError } from '../contract/command-error.js';
import { isFinalRunState, type RunState } from '../contract/run.schema.js';
import { BrokenRecordError } from '../redis/broken-record.error.js';
import type { RedisClient } from '../redis/redis-client.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { DueLoop } from './due-loop.js';
import { readRunState } from './run-reader.js';
import { type CancelledRun, RunStore } from './run-store.js';
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
    private readonly dueLoop: DueLoop,
  ) {}

  /**
   * A run that has ended stays as it is.
   * @throws CommandError NOT_FOUND
   */
  async cancel(redis: RedisClient, namespace: string, runId: string, reason?: string): Promise<{ state: RunState }> {
    const state = await this.end(redis, namespace, runId, reason);
    if (state === undefined) throw new CommandError('NOT_FOUND', `no run ${runId}`);
    return { state };
  }

  /** After runs were cancelled in their records: tells who waits for them and who executes them, and cancels their parts. */
  async follow(
    redis: RedisClient,
    namespace: string,
    cancelled: readonly CancelledRun[],
    reason?: string,
  ): Promise<void> {
    await Promise.all(
      cancelled.map(async ({ runId, agentId, epoch }) => {
        this.waiters.ended(namespace, runId);
        if (agentId !== '') {
          // Told twice, by call and with its next heartbeat: the call may not get through.
          await this.agents.requestCancel(namespace, agentId, runId);
          void this.agents.cancel(namespace, agentId, runId, epoch, reason);
        }
        const run = await this.store.look(redis, namespace, runId);
        if (run instanceof BrokenRecordError || run?.partsCount === undefined) return;
        const parts = await this.store.parts(redis, run);
        await Promise.all(
          parts
            .filter(({ state }) => !isFinalRunState(state))
            .map((part) => this.end(redis, namespace, part.runId, reason)),
        );
      }),
    );
  }

  /** Ends every run of a schedule that has not ended; at most the newest {@link MAX_CANCELLED}. */
  async cancelOfSchedule(redis: RedisClient, namespace: string, scheduleId: string, reason: string): Promise<void> {
    const ids = await redis.zrevrange(this.keys.key('runs-of', namespace, scheduleId), 0, MAX_CANCELLED - 1);
    const states = await Promise.all(ids.map((id) => readRunState(redis, this.keys.key('run', namespace, id))));
    const open = ids.filter((_id, at) => states[at] !== null && !isFinalRunState(states[at]));
    await Promise.all(open.map((runId) => this.end(redis, namespace, runId, reason)));
  }

  /** @returns its state now; undefined when there is no such run, which may have ended and been forgotten since somebody read of it */
  private async end(
    redis: RedisClient,
    namespace: string,
    runId: string,
    reason: string | undefined,
  ): Promise<RunState | undefined> {
    const run = await this.store.look(redis, namespace, runId);
    if (run === undefined) return undefined;
    const message = reason === undefined ? 'cancelled' : `cancelled: ${reason}`;
    const at = run instanceof BrokenRecordError ? {} : { agentId: run.agentId };
    const outcome = await this.store.cancel({ namespace, runId }, { code: 'CANCELLED', message, ...at });
    // What is no run at all has no end.
    if (outcome === undefined && run instanceof BrokenRecordError) throw run;
    if (outcome === undefined) return undefined;
    if (!outcome.cancelled) return outcome.state;
    if (outcome.released === true) this.dueLoop.wakeWithin(0);
    // Where the cancel found it, not where it was when it was read: it may have begun in between.
    const { agentId = '', epoch = 0 } = outcome;
    await this.follow(redis, namespace, [{ runId, agentId, epoch }], reason);
    return 'cancelled';
  }
}
