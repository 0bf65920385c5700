import { Module, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigModule } from '../../src/config/config.module.js';
import { readSettings, type Settings } from '../../src/config/settings.js';
import { REDIS, type RedisClient } from '../../src/redis/redis-client.js';
import { RedisModule } from '../../src/redis/redis.module.js';

/** Boots ConfigModule and RedisModule with this environment, and whatever modules share the client. */
export function redisApp(environment: Record<string, string>, ...imports: Type[]): Promise<TestingModule> {
  return redisAppWith(readSettings(environment), ...imports);
}

/** The same with settings that no environment could give, for instance a timeout below its minimum. */
export async function redisAppWith(settings: Settings, ...imports: Type[]): Promise<TestingModule> {
  @Module({ imports })
  class Sharers {}
  const app = await Test.createTestingModule({
    imports: [ConfigModule.forRoot(settings), RedisModule, Sharers],
  }).compile();
  return app.init();
}

export function clientOf(app: TestingModule): RedisClient {
  return app.get<RedisClient>(REDIS);
}

/** The connections in CLIENT LIST that carry our name (`redis-cli` itself does not). */
export function ourConnections(clientList: string): string[] {
  return clientList.split('\n').filter((line) => / name=commander:/.test(line));
}
