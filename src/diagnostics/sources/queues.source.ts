/*
 * sources.queues: what all replicas together have before them, asked on the one client.
 *
 * field         type  unit   source
 * waitingCount  int   count  BullMQ: handed over, not taken by a replica yet
 * activeCount   int   count  BullMQ: under way
 * delayedCount  int   count  BullMQ: to be taken later
 * overdueCount  int   count  DueLoop: ticks and runs that have come due and that no replica has claimed
 * overdueMs     int   ms     for how long the first of them has been due; 0 without any
 *
 * Cost: two questions to Redis, asked together.
 */
import { Inject, Injectable } from '@nestjs/common';
import { REDIS, type RedisClient } from '../../redis/redis-client.js';
import { redisStatus } from '../../redis/redis-status.js';
import { DueLoop, type Overdue } from '../../runs/due-loop.js';
import { Engine, type EngineCounts } from '../../runs/engine.js';
import type { DiagnosticsSource } from '../diagnostics-source.js';
import { queuesMetrics } from './queues.metrics.js';
import { ShownError } from '../summary/section-error.js';
import { SOURCE_TIMEOUT_MS } from '../summary/source-reader.js';

@Injectable()
export class QueuesSource implements DiagnosticsSource<EngineCounts & Overdue> {
  readonly name = 'queues';
  readonly metrics = queuesMetrics;

  constructor(
    @Inject(Engine) private readonly engine: Pick<Engine, 'counts'>,
    @Inject(DueLoop) private readonly due: Pick<DueLoop, 'overdue'>,
    @Inject(REDIS) private readonly client: RedisClient,
  ) {}

  async read(): Promise<EngineCounts & Overdue> {
    // The client would keep the question until Redis is back.
    if (redisStatus(this.client) !== 'ready') throw new ShownError('Redis is not reachable');
    const overdue = this.due.overdue(Date.now() + SOURCE_TIMEOUT_MS);
    // A Redis that hangs refuses this one before the other: nothing is asked again until both have ended.
    overdue.catch(() => undefined);
    return { ...(await this.engine.counts()), ...(await overdue) };
  }
}
