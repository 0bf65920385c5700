import { eventually } from '../../support/eventually';
import type { RedisServer } from '../../support/redis-server';

/** Resolves when the engine's worker waits for jobs again, after Redis was away. */
export async function workerWaits(redis: RedisServer): Promise<void> {
  await eventually(async () => expect(await redis.cli('CLIENT', 'LIST')).toMatch(/ cmd=bzpopmin /));
}
