import { Injectable, Logger } from '@nestjs/common';
import { RedisClock } from '../redis/redis-clock.js';
import type { RedisClient } from '../redis/redis-client.js';
import { BrokenRecordError } from '../redis/broken-record.error.js';
import { RedisGate } from '../redis/redis-gate.js';
import type { HandedRun } from './engine-job.js';
import type { RunRecord } from './run.record.js';
import { RunStore } from './run-store.js';
import { RunWaiters } from './run-waiters.js';
import { RunWatch } from './run-watch.js';

const LOOK_TIMEOUT_MS = 1_000;

/**
 * Runs that callers of this replica wait for. While it drains, the due loop and the engine bring it nothing new; these it still
 * begins, because where it is the only replica nobody else does, and its callers would wait in vain.
 */
@Injectable()
export class WaitedRuns {
  private readonly logger = new Logger(WaitedRuns.name);

  constructor(
    private readonly waiters: RunWaiters,
    private readonly store: RunStore,
    private readonly watch: RunWatch,
    private readonly gate: RedisGate,
    private readonly clock: RedisClock,
  ) {}

  get count(): number {
    return this.waiters.count;
  }

  /**
   * Takes some that could begin now, so that no replica begins one as well that it was handed to.
   * @param limit how many at most: each must begin here
   */
  async take(limit: number): Promise<HandedRun[]> {
    const waiting = this.waiters.runs().filter(({ namespace, runId }) => !this.watch.has(namespace, runId));
    try {
      return await this.gate.run(Date.now() + LOOK_TIMEOUT_MS, async (redis) => {
        const runs = await Promise.all(waiting.map(({ namespace, runId }) => this.store.look(redis, namespace, runId)));
        const due = runs
          .filter(isReadable)
          .filter((run) => this.isDue(run))
          .slice(0, limit);
        const taken = await Promise.all(due.map((run) => this.takeOne(redis, run)));
        return taken.filter((run) => run !== undefined);
      });
    } catch (error) {
      this.logger.debug(`runs that are waited for were not looked at: ${(error as Error).message}`);
      return [];
    }
  }

  private isDue({ state, dueAt = 0 }: RunRecord): boolean {
    return (state === 'waiting' || state === 'retrying') && dueAt <= this.clock.now();
  }

  private async takeOne(redis: RedisClient, run: RunRecord): Promise<HandedRun | undefined> {
    const { namespace, runId } = run;
    const requeued = await this.store.requeue(redis, namespace, runId, true);
    if (requeued === undefined) return undefined;
    const { enqueues } = requeued;
    // As it was read before: read again it might be one that somebody was just quick enough to begin, and be begun a second time.
    return { namespace, runId, enqueues, record: { ...run, state: 'waiting', dueAt: undefined, enqueues } };
  }
}

function isReadable(run: RunRecord | BrokenRecordError | undefined): run is RunRecord {
  return run !== undefined && !(run instanceof BrokenRecordError);
}
