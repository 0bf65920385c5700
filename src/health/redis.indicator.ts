import { Inject, Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { CommandError } from '../contract/command-error.js';
import { type RedisClient } from '../redis/redis-client.js';
import { RedisGate } from '../redis/redis-gate.js';

/** How long a probe waits for Redis; below the second that a kubelet gives a probe by default. */
export const REDIS_PROBE_TIMEOUT_MS = 500;

/** Whether Redis answers a PING on the one client. Opens no connection. */
@Injectable()
export class RedisIndicator {
  /** The PING on its way. A frozen Redis keeps it there: every further probe waits for this one instead of queueing its own. */
  private ping: Promise<unknown> | undefined;

  constructor(
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
    @Inject(RedisGate) private readonly gate: RedisGate,
  ) {}

  /** Settles within {@link REDIS_PROBE_TIMEOUT_MS}, whatever Redis does; never rejects. */
  async check(): Promise<HealthIndicatorResult> {
    const session = this.indicators.check('redis');
    try {
      await this.gate.run(Date.now() + REDIS_PROBE_TIMEOUT_MS, (redis) => this.sharedPing(redis));
      return session.up();
    } catch (error) {
      return session.down(error instanceof CommandError ? error.message : 'Redis refused the PING');
    }
  }

  private sharedPing(redis: RedisClient): Promise<unknown> {
    if (this.ping === undefined) {
      const ping = redis.ping().finally(() => (this.ping = undefined));
      // Nobody may be waiting any more when it fails.
      ping.catch(() => undefined);
      this.ping = ping;
    }
    return this.ping;
  }
}
