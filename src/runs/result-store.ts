import { Injectable } from '@nestjs/common';
import { CommandError } from '../contract/command-error.js';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import type { StoredResult } from '../contract/result.schema.js';
import type { RedisClient } from '../redis/redis-client.js';
import { RedisKeys } from '../redis/redis-keys.js';

type ResultFields = Record<string, string>;

/** Reads the newest good values. They are written by the script that ends a run (finish-run.lua.ts). */
@Injectable()
export class ResultStore {
  constructor(private readonly keys: RedisKeys) {}

  /** @throws CommandError NOT_FOUND for an unknown key, or a field that the value does not have */
  async get(redis: RedisClient, { namespace, key, field }: CommandRequest<'result.get'>): Promise<StoredResult> {
    const fields = await redis.hgetall(this.keys.key('result', namespace, key));
    if (fields.value === undefined) throw new CommandError('NOT_FOUND', `no result under the key ${key}`);
    const whole = JSON.parse(fields.value) as StoredResult['value'];
    return { key, value: field === undefined ? whole : partOf(whole, field), ...standing(fields) };
  }

  async list(
    redis: RedisClient,
    { namespace, limit, cursor }: CommandRequest<'result.list'>,
  ): Promise<CommandReply<'result.list'>> {
    const index = this.keys.key('results', namespace);
    const keys = await redis.zrange(
      index,
      cursor === undefined ? '-' : `(${cursor}`,
      '+',
      'BYLEX',
      'LIMIT',
      0,
      limit + 1,
    );
    const page = keys.slice(0, limit);
    const results = await Promise.all(
      page.map((key) => redis.hmget(this.keys.key('result', namespace, key), ...STANDING_FIELDS)),
    );
    const items: CommandReply<'result.list'>['items'] = [];
    const forgotten: string[] = [];
    page.forEach((key, at) => {
      const fields: ResultFields = {};
      STANDING_FIELDS.forEach((name, position) => {
        const text = results[at][position];
        if (text !== null) fields[name] = text;
      });
      if (fields.version === undefined) forgotten.push(key);
      else items.push({ key, ...standing(fields) });
    });
    if (forgotten.length > 0) await redis.zrem(index, ...forgotten);
    return keys.length > limit ? { items, nextCursor: page[page.length - 1] } : { items };
  }
}

const STANDING_FIELDS = ['version', 'runId', 'tickAt', 'storedAt', 'failedTickAt'] as const;

function standing(fields: ResultFields): Omit<StoredResult, 'key' | 'value'> {
  return {
    version: Number(fields.version),
    runId: fields.runId,
    tickAt: Number(fields.tickAt),
    storedAt: Number(fields.storedAt),
    stale: fields.failedTickAt !== undefined && Number(fields.failedTickAt) > Number(fields.tickAt),
  };
}

function partOf(value: StoredResult['value'], path: string): StoredResult['value'] {
  let part: unknown = value;
  for (const name of path.split('.')) {
    if (typeof part !== 'object' || part === null || !Object.hasOwn(part, name)) {
      throw new CommandError('NOT_FOUND', `the value has no field ${path}`);
    }
    part = (part as Record<string, unknown>)[name];
  }
  return part as StoredResult['value'];
}
