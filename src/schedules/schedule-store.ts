import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import { CommandError } from '../contract/command-error.js';
import type { RedisClient } from '../redis/redis-client.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { RedisScript } from '../redis/redis-script.js';
import type { GivenPlace } from '../agents/agents.service.js';
import type { FirstDispatch } from '../runs/first-dispatch.js';
import { type CancelledRun, cancelledRuns, givenPlace, OUTBOX_MS, RunStore } from '../runs/run-store.js';
import type { RunSpec } from '../runs/run.record.js';
import { BrokenRecordError } from '../redis/broken-record.error.js';
import { NO_HASH } from '../redis/no-hash.js';
import { parseSchedule, remainsOf, type ScheduleRecord } from './schedule.record.js';
import { fireTicksLua } from './fire-ticks.lua.js';
import {
  dropLeftoverLua,
  pauseScheduleLua,
  readSchedulesLua,
  removeScheduleLua,
  repairScheduleLua,
  resumeScheduleLua,
  writeScheduleLua,
} from './write-schedule.lua.js';

/** Where a schedule's next tick goes: its instant, and when it is due (later by the jitter). */
export interface PlacedTick {
  tickAt: number;
  dueAt: number;
}

/** A tick that becomes a run. */
export interface FiringTick {
  tickAt: number;
  runId: string;
  lateMs?: number;
  /** Lets the run begin as it is made. */
  begin?: FirstDispatch;
}

/** One line of a plan, as the script takes it. */
export type TickEntry = FiringTick | { from: number; to: number; count: number; outcome: string; reason: string };

/** What is to become of the due ticks of one schedule. */
export interface Firing {
  /** As it was read. */
  record: ScheduleRecord;
  entries: readonly TickEntry[];
  /** Undefined when none will ever come. */
  next: PlacedTick | undefined;
  latenessMs: number | undefined;
  spec: RunSpec;
  /** The spec as JSON. */
  specText: string;
}

/** What became of them. */
export interface Fired {
  /** Runs to hand over, and where they were begun already. */
  made: { runId: string; place?: GivenPlace }[];
  cancelled: CancelledRun[];
}

/** Schedules that one command reads at most: their records may be long. */
const READ_COUNT = 50;

/** Schedules in Redis: every change is one script, compared with what the caller had read. */
@Injectable()
export class ScheduleStore {
  private readonly readScript = new RedisScript<[number, ...(string[] | string)[]]>('read-schedules', readSchedulesLua);
  private readonly writeScript = new RedisScript<[number, number?, number?]>('write-schedule', writeScheduleLua);
  private readonly repairScript = new RedisScript<[number, number?, number?]>('repair-schedule', repairScheduleLua);
  private readonly removeScript = new RedisScript<number>('remove-schedule', removeScheduleLua);
  private readonly dropScript = new RedisScript<number>('drop-leftover', dropLeftoverLua);
  private readonly pauseScript = new RedisScript<number>('pause-schedule', pauseScheduleLua);
  private readonly resumeScript = new RedisScript<[number, number?]>('resume-schedule', resumeScheduleLua);
  private readonly fireScript = new RedisScript<string>('fire-ticks', fireTicksLua);

  constructor(
    private readonly keys: RedisKeys,
    private readonly runs: RunStore,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /**
   * The schedule, if there is one, and Redis' time.
   * @throws BrokenRecordError
   */
  async read(redis: RedisClient, namespace: string, id: string): Promise<{ now: number; record?: ScheduleRecord }> {
    const { now, records } = await this.readAll(redis, [{ namespace, id }]);
    const [record] = records;
    if (record instanceof Error) throw record;
    return { now, record };
  }

  /** Schedules, undefined where there is none, in the order asked for, and Redis' time. One that is broken is an error beside the others. */
  async readAll(
    redis: RedisClient,
    names: readonly { namespace: string; id: string }[],
  ): Promise<{ now: number; records: (ScheduleRecord | BrokenRecordError | undefined)[] }> {
    const some = names.slice(0, READ_COUNT);
    const [now, ...rows] = await this.readScript.run(
      redis,
      [this.keys.key('due')],
      [this.keys.key(), ...some.flatMap(({ namespace, id }) => [namespace, id])],
    );
    const records = rows.map((row, index) => recordOf(row, some[index]));
    if (names.length > READ_COUNT) records.push(...(await this.readAll(redis, names.slice(READ_COUNT))).records);
    return { now, records };
  }

  /**
   * Stores a declaration over the version that was read (0: none).
   * @param owner undefined leaves it as it is
   * @param tick undefined leaves the pending tick as it is; null takes it away
   * @returns undefined when the record has another version by now, or a tick that would be replaced has come
   * @throws CommandError RATE_LIMITED when there are MAX_SCHEDULES already
   */
  async write(
    redis: RedisClient,
    namespace: string,
    id: string,
    versionRead: number,
    specText: string,
    tick: PlacedTick | null | undefined,
    owner?: string,
  ): Promise<{ version: number; createdAt: number; updatedAt: number } | undefined> {
    const [version, createdAt, updatedAt] = await this.run(redis, this.writeScript, namespace, id, [
      versionRead,
      specText,
      tick === undefined ? '0' : '1',
      tick?.tickAt ?? '',
      tick?.dueAt ?? '',
      this.settings.maxSchedules,
      owner ?? '',
    ]);
    if (version === -2) throw this.tooMany(namespace);
    return version === -1 ? undefined : { version, createdAt: createdAt as number, updatedAt: updatedAt as number };
  }

  /**
   * Stores a declaration in place of a broken record, of which stays what can be read.
   * @param tick null: none
   * @returns undefined when the record is another by now
   */
  async repair(
    redis: RedisClient,
    namespace: string,
    broken: BrokenRecordError,
    { id, specText, tick, owner }: { id: string; specText: string; tick: PlacedTick | null; owner?: string },
  ): Promise<{ version: number; createdAt: number; updatedAt: number } | undefined> {
    const { fields } = remainsOf(broken);
    if (owner !== undefined) fields.owner = owner;
    const reply = await this.run(redis, this.repairScript, namespace, id, [
      broken.fields.spec ?? '',
      broken.fields.version ?? '',
      specText,
      tick?.tickAt ?? '',
      tick?.dueAt ?? '',
      ...Object.entries(fields).flat(),
    ]);
    const [version, createdAt, updatedAt] = reply;
    return version === -1 ? undefined : { version, createdAt: createdAt as number, updatedAt: updatedAt as number };
  }

  /** @throws CommandError RATE_LIMITED when so many new ones would be more than MAX_SCHEDULES */
  async assertRoomFor(redis: RedisClient, namespace: string, newCount: number): Promise<void> {
    if (newCount === 0) return;
    const count = await redis.zcard(this.keys.key('schedules', namespace));
    if (count + newCount > this.settings.maxSchedules) throw this.tooMany(namespace);
  }

  /** @returns whether there was one */
  async remove(redis: RedisClient, namespace: string, id: string): Promise<boolean> {
    return (await this.run(redis, this.removeScript, namespace, id, [this.settings.runRetentionMs])) === 1;
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

  /** @returns whether there is such a schedule */
  async pause(redis: RedisClient, namespace: string, id: string, reason: string | undefined): Promise<boolean> {
    return (await this.run(redis, this.pauseScript, namespace, id, [reason ?? ''])) === 1;
  }

  /** @returns whether there is such a schedule, and when its pending tick is due */
  async resume(
    redis: RedisClient,
    namespace: string,
    id: string,
    catchUp: boolean,
  ): Promise<{ found: boolean; dueAt?: number }> {
    const [found, dueAt = -1] = await this.run(redis, this.resumeScript, namespace, id, [catchUp ? '1' : '0']);
    return { found: found === 1, dueAt: dueAt < 0 ? undefined : dueAt };
  }

  /**
   * Deals with the ticks of several schedules, each by itself.
   * @returns for each the runs to hand over and those that were cancelled for them, why it failed, or undefined when another
   * replica was faster
   */
  async fire(redis: RedisClient, firings: readonly Firing[]): Promise<(Fired | { error: string } | undefined)[]> {
    const { ticksKeptPerSchedule, runRetentionMs } = this.settings;
    const request = {
      outboxMs: OUTBOX_MS,
      keep: this.runs.keep,
      ledgerCount: ticksKeptPerSchedule,
      ledgerMs: runRetentionMs,
      plans: firings.map(({ record, entries, next, latenessMs, spec, specText }) => ({
        ns: record.namespace,
        id: record.spec.id,
        version: String(record.version),
        createdAt: String(record.createdAt),
        skipUntil: record.skipUntil === undefined ? undefined : String(record.skipUntil),
        readTickAt: String(record.nextTickAt),
        nextTickAt: next?.tickAt,
        nextDueAt: next?.dueAt,
        maxRuns: record.spec.maxRuns,
        pausedAt: record.pausedAt === undefined ? undefined : String(record.pausedAt),
        latenessMs,
        entries,
        specText,
        resultKey: spec.resultKey,
        overlap: record.spec.overlap,
      })),
    };
    const text = await this.fireScript.run(redis, [this.keys.key('due')], [this.keys.key(), JSON.stringify(request)]);
    const reply = JSON.parse(text) as ({ made: unknown; cancelled: unknown } | { error: string } | false)[];
    return reply.map((one) => {
      if (one === false) return undefined;
      if ('error' in one) return one;
      const made = Array.isArray(one.made) ? (one.made as { runId: string; place?: string[] }[]) : [];
      return {
        made: made.map(({ runId, place }) => ({ runId, place: givenPlace(place) })),
        cancelled: cancelledRuns(one.cancelled),
      };
    });
  }

  private tooMany(namespace: string): CommandError {
    const { maxSchedules } = this.settings;
    return new CommandError(
      'RATE_LIMITED',
      `namespace ${namespace} may have ${maxSchedules} schedules (MAX_SCHEDULES)`,
    );
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

/** @param row the fields and values of the hash, or what Redis said when it is none */
function recordOf(
  row: string[] | string,
  { namespace, id }: { namespace: string; id: string },
): ScheduleRecord | BrokenRecordError | undefined {
  if (typeof row === 'string') return new BrokenRecordError('schedule', id, NO_HASH);
  const fields: Record<string, string> = {};
  for (let at = 0; at < row.length; at += 2) fields[row[at]] = row[at + 1];
  return parseSchedule(namespace, id, fields);
}
