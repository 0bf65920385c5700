import type { RawRedisClient, RedisClient } from './redis-client.js';

const rawClients = new WeakMap<object, RawRedisClient>();

/**
 * The raw client behind the guarded one, for BullMQ only: its queues share it, its worker duplicates it and owns (and
 * closes) the duplicate. Only the engine in `src/runs` may call this.
 * @throws Error for anything but the client that RedisModule injects
 */
export function engineConnection(client: RedisClient): RawRedisClient {
  const raw = rawClients.get(client);
  if (raw === undefined) throw new Error('engineConnection: this is not the client that RedisModule injects');
  return raw;
}

/** Makes {@link engineConnection} know a guarded client. For RedisModule. */
export function rememberEngineConnection(client: RedisClient, raw: RawRedisClient): void {
  rawClients.set(client, raw);
}
