import { Injectable } from '@nestjs/common';
import type { RedisClient } from '../redis/redis-client.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { RedisScript } from '../redis/redis-script.js';
import { countDueLua } from './count-due.lua.js';

/** That many schedules within one second are worth a word: the last of them is dispatched visibly later than the first. */
const CROWDED_COUNT = 50;

/** A second in which many schedules are due. */
export interface CrowdedSecond {
  /** Its first millisecond. */
  at: number;
  scheduleCount: number;
}

/** Looks into the due index, which knows the next tick of each schedule: seconds further away seem empty. */
@Injectable()
export class CrowdedSeconds {
  private readonly script = new RedisScript<(string | number)[]>('count-due', countDueLua);

  constructor(private readonly keys: RedisKeys) {}

  /** @param instants of which the seconds are looked at @param exceptId a schedule that does not count */
  async of(
    redis: RedisClient,
    namespace: string,
    instants: readonly number[],
    exceptId: string | undefined,
  ): Promise<CrowdedSecond[]> {
    const seconds = [...new Set(instants.map((instant) => Math.floor(instant / 1_000) * 1_000))];
    const prefix = `s|${namespace}|`;
    const except = exceptId === undefined ? '' : `${prefix}${exceptId}`;
    const flat = await this.script.run(redis, [this.keys.key('due')], [prefix, except, CROWDED_COUNT, ...seconds]);
    const crowded: CrowdedSecond[] = [];
    for (let at = 0; at < flat.length; at += 2) {
      crowded.push({ at: Number(flat[at]), scheduleCount: Number(flat[at + 1]) });
    }
    return crowded;
  }
}
