import { Injectable } from '@nestjs/common';
import { CommandError } from '../contract/command-error.js';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import type { StoredResult } from '../contract/result.schema.js';
import { BrokenRecordError } from '../redis/broken-record.error.js';
import { NO_HASH, unlessNoHash } from '../redis/no-hash.js';
import type { RedisClient } from '../redis/redis-client.js';
import { RedisKeys } from '../redis/redis-keys.js';

type ResultFields = Record<string, string>;

/** Reads the newest good values. They are written by the script that ends a run (finish-run.lua.ts). */
@Injectable()
export class ResultStore {
  constructor(private readonly keys: RedisKeys) {}

  /** @throws CommandError NOT_FOUND for an unknown key, or a field that the value does not have; BROKEN_RECORD */
  async get(redis: RedisClient, { namespace, key, field }: CommandRequest<'result.get'>): Promise<StoredResult> {
    const fields = await unlessNoHash(redis.hgetall(this.keys.key('result', namespace, key)), undefined);
    if (fields === undefined) throw new BrokenRecordError('result', key, NO_HASH);
    if (Object.keys(fields).length === 0) throw new CommandError('NOT_FOUND', `no result under the key ${key}`);
    const stands = standing(key, fields);
    if (stands instanceof BrokenRecordError) throw stands;
    const whole = valueOf(key, fields.value);
    return { key, value: field === undefined ? whole : partOf(whole, field), ...stands };
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
      page.map((key) =>
        unlessNoHash(redis.hmget(this.keys.key('result', namespace, key), ...STANDING_FIELDS), undefined),
      ),
    );
    const items: CommandReply<'result.list'>['items'] = [];
    const broken: NonNullable<CommandReply<'result.list'>['broken']> = [];
    const forgotten: string[] = [];
    page.forEach((key, at) => {
      const stands = standingOf(key, results[at]);
      if (stands === undefined) forgotten.push(key);
      else if (stands instanceof BrokenRecordError) broken.push({ key, why: stands.why });
      else items.push({ key, ...stands });
    });
    if (forgotten.length > 0) await redis.zrem(index, ...forgotten);
    return {
      items,
      ...(broken.length === 0 ? {} : { broken }),
      ...(keys.length > limit ? { nextCursor: page[page.length - 1] } : {}),
    };
  }
}

const STANDING_FIELDS = ['version', 'runId', 'tickAt', 'storedAt', 'failedTickAt'] as const;

type Standing = Omit<StoredResult, 'key' | 'value'>;

/** @returns undefined when there is no value any more */
function standingOf(
  key: string,
  texts: readonly (string | null)[] | undefined,
): Standing | BrokenRecordError | undefined {
  if (texts === undefined) return new BrokenRecordError('result', key, NO_HASH);
  const fields: ResultFields = {};
  STANDING_FIELDS.forEach((name, position) => {
    const text = texts[position];
    if (text !== null) fields[name] = text;
  });
  return Object.keys(fields).length === 0 ? undefined : standing(key, fields);
}

function standing(key: string, fields: ResultFields): Standing | BrokenRecordError {
  const { version, runId, tickAt, storedAt, failedTickAt = '-1' } = fields;
  const numbers = [version, tickAt, storedAt, failedTickAt].map((text) => (text === '' ? NaN : Number(text)));
  if (runId === undefined || !numbers.every(Number.isInteger)) {
    return new BrokenRecordError('result', key, 'what tells of its run is missing or wrong');
  }
  return {
    version: numbers[0],
    runId,
    tickAt: numbers[1],
    storedAt: numbers[2],
    stale: numbers[3] > numbers[1],
  };
}

/** @throws BrokenRecordError */
function valueOf(key: string, text: string): StoredResult['value'] {
  try {
    return JSON.parse(text) as StoredResult['value'];
  } catch {
    throw new BrokenRecordError('result', key, 'its value is no JSON');
  }
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
