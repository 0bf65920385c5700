import { Injectable, Logger } from '@nestjs/common';
import { RedisClock } from '../redis/redis-clock.js';
import { RedisGate } from '../redis/redis-gate.js';
import type { HandedRun } from './engine-job.js';
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

  /** Those that could begin now. */
  async due(): Promise<HandedRun[]> {
    const waiting = this.waiters.runs().filter(({ namespace, runId }) => !this.watch.has(namespace, runId));
    try {
      const due = await this.gate.run(Date.now() + LOOK_TIMEOUT_MS, (redis) =>
        Promise.all(
          waiting.map(async ({ namespace, runId }) => {
            const run = await this.store.load(redis, namespace, runId);
            if (run?.state !== 'waiting' && run?.state !== 'retrying') return undefined;
            if ((run.dueAt ?? 0) > this.clock.now()) return undefined;
            const requeued = await this.store.requeue(redis, namespace, runId);
            return requeued === undefined ? undefined : { namespace, runId, enqueues: requeued.enqueues };
          }),
        ),
      );
      return due.filter((run) => run !== undefined);
    } catch (error) {
      this.logger.debug(`runs that are waited for were not looked at: ${(error as Error).message}`);
      return [];
    }
  }
}
