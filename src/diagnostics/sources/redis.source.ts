/*
 * sources.redis: the one client, as this process sees it. Opens nothing and asks nobody.
 *
 * field            type      unit   source
 * status           string    –      redisStatus(): wait, connecting, connect, ready, reconnecting, close, end
 * unansweredCount  int|null  count  commands sent that Redis has not answered; null for a cluster, which has a queue per node
 * unsentCount      int|null  count  commands that wait for the connection; null for a cluster
 * clockOffsetMs    int       ms     RedisClock: how far the clock of Redis is ahead of this machine's
 *
 * Cost: under 1 µs.
 */
import { Inject, Injectable } from '@nestjs/common';
import { REDIS, type RedisClient } from '../../redis/redis-client.js';
import { RedisClock } from '../../redis/redis-clock.js';
import { redisStatus } from '../../redis/redis-status.js';
import type { DiagnosticsSource } from '../diagnostics-source.js';

/** ioredis keeps both, but not in its types. */
interface CommandQueues {
  commandQueue?: { length: number };
  offlineQueue?: { length: number };
}

@Injectable()
export class RedisSource implements DiagnosticsSource {
  readonly name = 'redis';

  constructor(
    @Inject(REDIS) private readonly client: RedisClient,
    @Inject(RedisClock) private readonly clock: RedisClock,
  ) {}

  read() {
    const { commandQueue, offlineQueue } = this.client as unknown as CommandQueues;
    const isSingle = commandQueue !== undefined;
    return {
      status: redisStatus(this.client),
      unansweredCount: isSingle ? commandQueue.length : null,
      unsentCount: isSingle ? (offlineQueue?.length ?? 0) : null,
      clockOffsetMs: this.clock.offsetMs,
    };
  }
}
