import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { RedisClient } from '../redis/redis-client.js';
import { DispatchStats } from './dispatch-stats.js';
import type { DueItem } from './due-item.js';
import { DueLoop } from './due-loop.js';
import { Engine } from './engine.js';
import { RunStore } from './run-store.js';
import { RunWatch } from './run-watch.js';

/** Hands over runs that came due: delayed ones, retries, and those whose replica or engine job was lost. */
@Injectable()
export class RunRequeue implements OnModuleInit {
  constructor(
    private readonly dueLoop: DueLoop,
    private readonly store: RunStore,
    private readonly engine: Engine,
    private readonly watch: RunWatch,
    private readonly stats: DispatchStats,
  ) {}

  onModuleInit(): void {
    this.dueLoop.handle('r', (redis, items) => this.requeue(redis, items));
  }

  private async requeue(redis: RedisClient, items: readonly DueItem[]): Promise<void> {
    await Promise.all(items.map((item) => this.requeueOne(redis, item)));
  }

  private async requeueOne(redis: RedisClient, { namespace, id: runId }: DueItem): Promise<void> {
    const requeued = await this.store.requeue(redis, namespace, runId);
    if (requeued === undefined) return;
    const job = { namespace, runId, enqueues: requeued.enqueues, priority: requeued.priority };
    if (!requeued.wasPutOff) {
      // Nobody put it off: it is still under way or about to be, or whoever had it is gone.
      if (this.watch.has(namespace, runId) || (await this.engine.has(job))) return;
      this.stats.repaired(requeued.wasRunning);
    }
    await this.engine.add(this.engine.begin([{ ...job, foundEpoch: requeued.epoch }]));
  }
}
