import { randomUUID } from 'node:crypto';
import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { RedisGate } from '../redis/redis-gate.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { RedisScript } from '../redis/redis-script.js';

const BEAT_EVERY_MS = 2_000;
/** A replica that was not heard of for so long is none. */
const GONE_AFTER_MS = 3 * BEAT_EVERY_MS;
const BEAT_TIMEOUT_MS = 2_000;
const GOOD_BYE_TIMEOUT_MS = 500;

/** ARGV: the replica, ms it is believed for; 0: it goes. Returns how many there are. */
const beatScript = new RedisScript<number>(
  'replicas.beat',
  `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local forMs = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if forMs > 0 then
  redis.call('ZADD', KEYS[1], now + forMs, ARGV[1])
  redis.call('PEXPIRE', KEYS[1], forMs)
else
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return redis.call('ZCARD', KEYS[1])
`,
);

/** How many replicas there are: with others about, runs that wait too long here are offered to them. */
@Injectable()
export class Replicas implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Replicas.name);
  private readonly self = randomUUID();
  private timer?: NodeJS.Timeout;
  private knownCount: number | undefined;

  constructor(
    private readonly gate: RedisGate,
    private readonly keys: RedisKeys,
  ) {}

  /** Replicas that were heard of in the last seconds, this one among them; undefined until Redis was heard. */
  get count(): number | undefined {
    return this.knownCount;
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.beat(GONE_AFTER_MS, BEAT_TIMEOUT_MS), BEAT_EVERY_MS);
    this.timer.unref();
    void this.beat(GONE_AFTER_MS, BEAT_TIMEOUT_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.beat(0, GOOD_BYE_TIMEOUT_MS);
  }

  /** What fails is made good by the next beat, and a replica that cannot say good-bye is forgotten. */
  private async beat(forMs: number, timeoutMs: number): Promise<void> {
    try {
      this.knownCount = await this.gate.run(Date.now() + timeoutMs, (redis) =>
        beatScript.run(redis, [this.keys.key('replicas')], [this.self, forMs]),
      );
    } catch (error) {
      this.logger.debug(`replicas are not known: ${(error as Error).message}`);
    }
  }
}
