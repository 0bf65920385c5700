import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { RedisSentinelPair } from '../support/redis-sentinel-pair.js';
import { RedisServer } from '../support/redis-server.js';
import { FaultProxy } from './fault-proxy.js';

/** Redis as the commanders of a cell have it, and a way past everything that is done to it. */
export interface RedisUnderFault {
  /** For REDIS_URL; what else the commanders need is in `env`. */
  url: string;
  env: Record<string, string>;
  /** Looks at what the commanders wrote; waits while Redis is away. */
  redis: Redis;
  processIds(): number[];
  stop(): Promise<void>;
}

/** One server with AOF (every write synced), reached through a proxy. */
export class ProxiedRedis implements RedisUnderFault {
  readonly env = {};

  private constructor(
    readonly server: RedisServer,
    readonly proxy: FaultProxy,
    readonly redis: Redis,
  ) {}

  static async start(): Promise<ProxiedRedis> {
    const server = await RedisServer.start({ appendOnly: true, args: ['--appendfsync', 'always'] });
    const proxy = await FaultProxy.start({ host: '127.0.0.1', port: server.port });
    return new ProxiedRedis(server, proxy, patient(new Redis(server.url, patience)));
  }

  get url(): string {
    return `redis://127.0.0.1:${this.proxy.port}`;
  }

  processIds(): number[] {
    return this.server.pid === undefined ? [] : [this.server.pid];
  }

  /** SIGKILL, and a start on an empty disk. */
  async restartEmpty(): Promise<void> {
    await this.server.kill();
    for (const name of await readdir(this.server.dataDir)) {
      await rm(join(this.server.dataDir, name), { recursive: true, force: true });
    }
    await this.server.restart();
  }

  async stop(): Promise<void> {
    this.redis.disconnect();
    await this.proxy.stop();
    await this.server.stop();
  }
}

/** A master, its replica, and a sentinel. */
export class SentinelRedis implements RedisUnderFault {
  readonly url = 'redis://unused';

  private constructor(
    readonly pair: RedisSentinelPair,
    readonly redis: Redis,
  ) {}

  static async start(): Promise<SentinelRedis> {
    const pair = await RedisSentinelPair.start();
    const sentinels = [{ host: '127.0.0.1', port: pair.sentinel.port }];
    const client = new Redis({
      sentinels,
      name: pair.env.REDIS_SENTINEL_NAME,
      ...patience,
      sentinelRetryStrategy: () => 50,
    });
    return new SentinelRedis(pair, patient(client));
  }

  get env(): Record<string, string> {
    return this.pair.env;
  }

  processIds(): number[] {
    const { master, replica } = this.pair;
    return [master.pid, replica.pid].filter((pid) => pid !== undefined);
  }

  async stop(): Promise<void> {
    this.redis.disconnect();
    await this.pair.stop();
  }
}

const patience = { maxRetriesPerRequest: null, retryStrategy: () => 50 };

function patient(redis: Redis): Redis {
  redis.on('error', () => undefined);
  return redis;
}
