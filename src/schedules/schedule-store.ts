import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import { CommandError } from '../contract/command-error.js';
import type { RedisClient } from '../redis/redis-client.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { RedisScript } from '../redis/redis-script.js';
import { OUTBOX_MS } from '../runs/run-store.js';
import type { RunSpec } from '../runs/run.record.js';
import { parseSchedule, type ScheduleRecord } from './schedule.record.js';
import {
  dropLeftoverLua,
  fireTicksLua,
  readScheduleLua,
  removeScheduleLua,
  writeScheduleLua,
} from './schedule-scripts.lua.js';

/** Where a schedule's next tick goes: its instant, and when it is due (later by the jitter). */
export interface PlacedTick {
  tickAt: number;
  dueAt: number;
}

/** Schedules in Redis: every change is one script, compared with what the caller had read. */
@Injectable()
export class ScheduleStore {
  private readonly readScript = new RedisScript<[number, ...string[]]>('read-schedule', readScheduleLua);
  private readonly writeScript = new RedisScript<[number, number?, number?]>('write-schedule', writeScheduleLua);
  private readonly removeScript = new RedisScript<number>('remove-schedule', removeScheduleLua);
  private readonly dropScript = new RedisScript<number>('drop-leftover', dropLeftoverLua);
  private readonly fireScript = new RedisScript<string[] | null>('fire-ticks', fireTicksLua);

  constructor(
    private readonly keys: RedisKeys,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** The schedule, if there is one, and Redis' time. */
  async read(redis: RedisClient, namespace: string, id: string): Promise<{ now: number; record?: ScheduleRecord }> {
    const [now, ...flat] = await this.run(redis, this.readScript, namespace, id, []);
    const fields: Record<string, string> = {};
    for (let at = 0; at < flat.length; at += 2) fields[flat[at]] = flat[at + 1];
    return { now, record: parseSchedule(namespace, fields) };
  }

  /**
   * Stores a declaration over the version that was read (0: none).
   * @param tick undefined leaves the pending tick as it is; null takes it away
   * @returns undefined when the record has another version by now
   * @throws CommandError RATE_LIMITED when there are MAX_SCHEDULES already
   */
  async write(
    redis: RedisClient,
    namespace: string,
    id: string,
    versionRead: number,
    specText: string,
    tick: PlacedTick | null | undefined,
  ): Promise<{ version: number; createdAt: number; updatedAt: number } | undefined> {
    const [version, createdAt, updatedAt] = await this.run(redis, this.writeScript, namespace, id, [
      versionRead,
      specText,
      tick === undefined ? '0' : '1',
      tick?.tickAt ?? '',
      tick?.dueAt ?? '',
      this.settings.maxSchedules,
    ]);
    if (version === -2) {
      throw new CommandError(
        'RATE_LIMITED',
        `namespace ${namespace} has ${this.settings.maxSchedules} schedules already`,
      );
    }
    return version === -1 ? undefined : { version, createdAt: createdAt as number, updatedAt: updatedAt as number };
  }

  /** @returns whether there was one */
  async remove(redis: RedisClient, namespace: string, id: string): Promise<boolean> {
    return (await this.run(redis, this.removeScript, namespace, id, [])) === 1;
  }

  /** Takes a schedule that has no next tick out of the due index. */
  async dropLeftover(redis: RedisClient, namespace: string, id: string): Promise<void> {
    await this.run(redis, this.dropScript, namespace, id, []);
  }

  /** Ids in order, after one of them. */
  async ids(redis: RedisClient, namespace: string, after: string | undefined, count: number): Promise<string[]> {
    const index = this.keys.key('schedules', namespace);
    return redis.zrange(index, after === undefined ? '-' : `(${after}`, '+', 'BYLEX', 'LIMIT', 0, count);
  }

  /** @returns the runs that were made; undefined when another replica was faster */
  async fire(
    redis: RedisClient,
    record: ScheduleRecord,
    ticks: readonly { tickAt: number; runId: string }[],
    next: PlacedTick | undefined,
    latenessMs: number | undefined,
    spec: RunSpec,
  ): Promise<string[] | undefined> {
    const made = await this.run(redis, this.fireScript, record.namespace, record.spec.id, [
      record.version,
      record.nextTickAt as number,
      next?.tickAt ?? '',
      next?.dueAt ?? '',
      latenessMs ?? '',
      JSON.stringify(spec),
      OUTBOX_MS,
      ...ticks.flatMap(({ tickAt, runId }) => [tickAt, runId]),
    ]);
    return made ?? undefined;
  }

  private run<Reply>(
    redis: RedisClient,
    script: RedisScript<Reply>,
    namespace: string,
    id: string,
    args: (string | number)[],
  ): Promise<Reply> {
    return script.run(redis, [this.keys.key('due')], [this.keys.key(), namespace, id, ...args]);
  }
}
