import type { RunState } from '../contract/run.schema.js';
import { BrokenRecordError } from '../redis/broken-record.error.js';
import { NO_HASH, unlessNoHash } from '../redis/no-hash.js';
import type { RedisClient } from '../redis/redis-client.js';
import { parseRun, type RunRecord } from './run.record.js';

/**
 * Reads the record of a run; undefined where there is none, or none any more.
 * @param key of its hash
 */
export async function readRun(
  redis: RedisClient,
  key: string,
  runId: string,
): Promise<RunRecord | BrokenRecordError | undefined> {
  const fields = await unlessNoHash(redis.hgetall(key), undefined);
  return fields === undefined ? new BrokenRecordError('run', runId, NO_HASH) : parseRun(runId, fields);
}

/** The state of a run; null where there is none, or what is there is no run. */
export async function readRunState(redis: RedisClient, key: string): Promise<RunState | null> {
  return (await unlessNoHash(redis.hget(key, 'state'), null)) as RunState | null;
}
