import { Global, Inject, Injectable, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import {
  ClusterModule,
  type ClusterModuleOptions,
  type ClusterOptionsFactory,
  ClusterService,
  RedisModule as SingleModule,
  type RedisModuleOptions,
  type RedisOptionsFactory,
  RedisService,
} from '@liaoliaots/nestjs-redis';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import { engineConnection, rememberEngineConnection } from './engine-connection.js';
import { REDIS, type RawRedisClient, type RedisClient } from './redis-client.js';
import { RedisClock } from './redis-clock.js';
import { dispose } from './redis-disposal.js';
import { RedisGate } from './redis-gate.js';
import { guardRedisClient } from './redis-guard.js';
import { RedisKeys } from './redis-keys.js';
import { RedisLog } from './redis-log.js';
import { clusterOptions, sentinelOptions, standaloneOptions } from './redis-options.js';
import { gatherWrites } from './write-gathering.js';

/** We log and close ourselves: theirs logs every failed attempt, and quits without a deadline. */
const ours = { closeClient: false, readyLog: false, errorLog: false };

const onClientCreated = (client: RawRedisClient): void => {
  new RedisLog().attach(client);
  gatherWrites(client);
};

@Injectable()
class SingleOptions implements RedisOptionsFactory {
  constructor(@Inject(SETTINGS) private readonly settings: Settings) {}

  async createRedisOptions(): Promise<RedisModuleOptions> {
    switch (this.settings.redisMode) {
      case 'standalone':
        return { ...ours, config: { ...(await standaloneOptions(this.settings)), onClientCreated } };
      case 'sentinel':
        return { ...ours, config: { ...(await sentinelOptions(this.settings)), onClientCreated } };
      default:
        return { ...ours, config: [] };
    }
  }
}

@Injectable()
class ClusterOptions implements ClusterOptionsFactory {
  constructor(@Inject(SETTINGS) private readonly settings: Settings) {}

  async createClusterOptions(): Promise<ClusterModuleOptions> {
    if (this.settings.redisMode !== 'cluster') return { ...ours, config: [] };
    return { ...ours, config: { ...(await clusterOptions(this.settings)), onClientCreated } };
  }
}

function theOneClient(settings: Settings, single: RedisService, cluster: ClusterService): RedisClient {
  const raw = settings.redisMode === 'cluster' ? cluster.getOrThrow() : single.getOrThrow();
  const client = guardRedisClient(raw);
  rememberEngineConnection(client, raw);
  return client;
}

/** How long a good-bye may take: a part of what the shutdown has left when the drain took all it may take. */
function quitTimeoutMs(settings: Pick<Settings, 'shutdownTimeoutMs' | 'drainTimeoutMs'>): number {
  return Math.min(2_000, Math.ceil((settings.shutdownTimeoutMs - settings.drainTimeoutMs) / 4));
}

/**
 * The one connection to Redis: made once, shared by everybody, closed here and nowhere else. The only file that names
 * the library; docs/adr/0002-redis-module.md has the reason and the way out.
 */
@Global()
@Module({
  imports: [
    SingleModule.forRootAsync({ useClass: SingleOptions }, false),
    ClusterModule.forRootAsync({ useClass: ClusterOptions }, false),
  ],
  providers: [
    { provide: REDIS, useFactory: theOneClient, inject: [SETTINGS, RedisService, ClusterService] },
    RedisKeys,
    RedisGate,
    RedisClock,
  ],
  exports: [REDIS, RedisKeys, RedisGate, RedisClock],
})
export class RedisModule implements OnApplicationShutdown {
  private readonly logger = new Logger('Redis');

  constructor(
    @Inject(REDIS) private readonly client: RedisClient,
    @Inject(SETTINGS) private readonly settings: Settings,
    private readonly gate: RedisGate,
  ) {}

  /** Last of all modules, because it is global: whoever uses Redis has ended by now. */
  async onApplicationShutdown(): Promise<void> {
    const timeoutMs = quitTimeoutMs(this.settings);
    const end = await dispose(engineConnection(this.client), timeoutMs);
    this.gate.close();
    if (end === 'disconnected')
      this.logger.warn(`disconnected without a good-bye: no answer to QUIT in ${timeoutMs} ms`);
  }
}
