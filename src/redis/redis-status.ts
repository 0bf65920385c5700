import type { RedisClient } from './redis-client.js';

/** Where a connection is in its life; only `ready` answers commands now. */
export type RedisStatus = 'wait' | 'connecting' | 'connect' | 'ready' | 'reconnecting' | 'close' | 'end';

/** The state of the one connection (of a cluster: of the whole client). Opens nothing, asks nobody. */
export function redisStatus(client: RedisClient): RedisStatus {
  const status = client.status as string;
  // A cluster client has one state more, for what a single connection calls 'close'.
  return status === 'disconnecting' ? 'close' : (status as RedisStatus);
}
