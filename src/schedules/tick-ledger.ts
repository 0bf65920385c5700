import { Injectable } from '@nestjs/common';
import type { RedisClient } from '../redis/redis-client.js';
import { RedisKeys } from '../redis/redis-keys.js';
import type { ScheduleRecord } from './schedule.record.js';

/** Ticks in a row that ended alike. */
export interface TickLedgerEntry {
  from: number;
  to: number;
  count: number;
  outcome: 'fired' | 'late' | 'skipped' | 'missed';
  /** Of a late tick the ms; of a skipped or missed one the reason. */
  reason: string;
  /** Version of the schedule under which they were due. */
  version: number;
}

/** Reads back how due times ended. Written by the script that deals with them (fire-ticks.lua.ts). */
@Injectable()
export class TickLedger {
  constructor(private readonly keys: RedisKeys) {}

  /** The entry that covers an instant, if it is still kept. */
  async covering(
    redis: RedisClient,
    { namespace, spec, lastTicks }: Pick<ScheduleRecord, 'namespace' | 'spec' | 'lastTicks'>,
    instant: number,
  ): Promise<TickLedgerEntry | undefined> {
    const last = lastTicks === undefined ? undefined : parseEntry(lastTicks);
    if (last !== undefined && instant >= last.from) return instant <= last.to ? last : undefined;
    const key = this.keys.key('ticks-of', namespace, spec.id);
    const [text] = await redis.zrevrangebyscore(key, String(instant), '-inf', 'LIMIT', 0, 1);
    const entry = text === undefined ? undefined : parseEntry(text);
    return entry !== undefined && entry.to >= instant ? entry : undefined;
  }
}

function parseEntry(text: string): TickLedgerEntry {
  const [from, to, count, outcome, reason, version] = text.split('|');
  return {
    from: Number(from),
    to: Number(to),
    count: Number(count),
    outcome: outcome as TickLedgerEntry['outcome'],
    reason,
    version: Number(version),
  };
}
