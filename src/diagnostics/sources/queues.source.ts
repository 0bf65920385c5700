/*
 * sources.queues: jobs in the engine's queue by state, of all replicas together, asked on the one client.
 *
 * field         type  unit   source
 * waitingCount  int   count  BullMQ: handed over, not taken by a replica yet
 * activeCount   int   count  BullMQ: under way
 * delayedCount  int   count  BullMQ: to be taken later
 *
 * Cost: one round trip to Redis.
 */
import { Inject, Injectable } from '@nestjs/common';
import { REDIS, type RedisClient } from '../../redis/redis-client.js';
import { redisStatus } from '../../redis/redis-status.js';
import { Engine } from '../../runs/engine.js';
import type { DiagnosticsSource } from '../diagnostics-source.js';
import { ShownError } from '../summary/section-error.js';

@Injectable()
export class QueuesSource implements DiagnosticsSource {
  readonly name = 'queues';

  constructor(
    @Inject(Engine) private readonly engine: Pick<Engine, 'counts'>,
    @Inject(REDIS) private readonly client: RedisClient,
  ) {}

  async read() {
    // The client would keep the question until Redis is back.
    if (redisStatus(this.client) !== 'ready') throw new ShownError('Redis is not reachable');
    return this.engine.counts();
  }
}
