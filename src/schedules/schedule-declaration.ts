import { Injectable } from '@nestjs/common';
import { CommandError } from '../contract/command-error.js';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import type { ScheduleSpec } from '../contract/schedule.schema.js';
import type { RedisClient } from '../redis/redis-client.js';
import { DueLoop } from '../runs/due-loop.js';
import { BrokenRecordError } from '../redis/broken-record.error.js';
import {
  canonicalSpec,
  declaredSchedule,
  remainsOf,
  runsCount,
  sameTiming,
  type ScheduleRecord,
  type TickCounts,
} from './schedule.record.js';
import { type PlacedTick, ScheduleStore } from './schedule-store.js';
import { type DueSchedule, placeTick, ScheduleTicker } from './schedule-ticker.js';
import { TickTimes } from './tick-times.js';

/** Two callers that declare one schedule at once make each other read again; more often than this is an attack. */
const MAX_WRITE_CONFLICTS = 10;
/** Looks that overdue ticks of an old timing may take; each deals with up to a hundred. */
const MAX_SETTLING_LOOKS = 10_000;

/** Stores what callers declare. Declaring what is stored already touches nothing: no pending tick moves. */
@Injectable()
export class ScheduleDeclaration {
  constructor(
    private readonly store: ScheduleStore,
    private readonly ticker: ScheduleTicker,
    private readonly dueLoop: DueLoop,
  ) {}

  /**
   * A broken record is replaced.
   * @throws CommandError INVALID_ARGUMENT (timing), VERSION_CONFLICT, RATE_LIMITED (too many), BROKEN_RECORD (a version is expected, and
   * the record cannot be read)
   */
  async upsert(
    redis: RedisClient,
    request: CommandRequest<'schedule.upsert'>,
  ): Promise<CommandReply<'schedule.upsert'>> {
    const { namespace, expectedVersion, deadlineMs: _deadline, requestId: _requestId, ...spec } = request;
    return this.declare(redis, namespace, spec, { expectedVersion });
  }

  /**
   * Stores one declaration, of an owner's set if one is named. With `dryRun` nothing is stored and the reply says what would be.
   * @throws CommandError as {@link upsert}
   */
  async declare(
    redis: RedisClient,
    namespace: string,
    spec: ScheduleSpec,
    { expectedVersion, owner, dryRun = false }: { expectedVersion?: number; owner?: string; dryRun?: boolean } = {},
  ): Promise<CommandReply<'schedule.upsert'>> {
    const times = new TickTimes(spec);
    const specText = canonicalSpec(spec);

    let settlingLooks = 0;
    for (let conflicts = 0; conflicts < MAX_WRITE_CONFLICTS; conflicts += 1) {
      const {
        now,
        records: [record],
      } = await this.store.readAll(redis, [{ namespace, id: spec.id }]);
      if (record instanceof BrokenRecordError) {
        // Which version it has may be what cannot be read.
        if (expectedVersion !== undefined) throw record;
        const repaired = await this.repair(redis, record, { namespace, spec, specText, owner }, times, now, dryRun);
        if (repaired === undefined) continue;
        return repaired;
      }
      if (expectedVersion !== undefined && expectedVersion !== (record?.version ?? 0)) {
        throw new CommandError(
          'VERSION_CONFLICT',
          `schedule ${spec.id} is at version ${record?.version ?? 0}, not ${expectedVersion}`,
          {
            version: record?.version ?? 0,
          },
        );
      }
      if (record?.specText === specText && (owner === undefined || record.owner === owner)) {
        return {
          schedule: declaredSchedule(record),
          created: false,
          changed: false,
          nextRuns: upcoming(times, record, now),
        };
      }
      const tick = pendingTick(times, namespace, spec, record, now);
      if (dryRun) {
        const would = {
          ...spec,
          version: (record?.version ?? 0) + 1,
          createdAt: record?.createdAt ?? now,
          updatedAt: now,
        };
        return { schedule: would, created: record === undefined, changed: true, nextRuns: [] };
      }
      // Ticks of the old timing that have come are its own: each gets its outcome before the new one holds.
      if (tick !== undefined && hasComeDue(record, now) && settlingLooks < MAX_SETTLING_LOOKS) {
        await this.ticker.settle(redis, record, now);
        settlingLooks += 1;
        conflicts -= 1;
        continue;
      }
      const written = await this.store.write(redis, namespace, spec.id, record?.version ?? 0, specText, tick, owner);
      if (written === undefined) continue;
      const stored: ScheduleRecord = {
        namespace,
        spec,
        specText,
        ...written,
        nextTickAt: tick === undefined ? record?.nextTickAt : tick?.tickAt,
        ticks: record?.ticks ?? { fired: 0, late: 0, skipped: 0, missed: 0 },
      };
      if (tick) this.dueLoop.wakeWithin(tick.dueAt - now);
      return {
        schedule: declaredSchedule(stored),
        created: record === undefined,
        changed: true,
        nextRuns: upcoming(times, stored, now),
      };
    }
    throw new CommandError('UNAVAILABLE', `schedule ${spec.id} is being changed by others all the time`);
  }

  /**
   * Puts a declaration in the place of a broken record. It goes on with its first tick from now; one that has none is no mistake here, for
   * it may have had its last.
   * @returns undefined when the record is another by now
   */
  private async repair(
    redis: RedisClient,
    broken: BrokenRecordError,
    { namespace, spec, specText, owner }: Pick<ScheduleRecord, 'namespace' | 'spec' | 'specText' | 'owner'>,
    times: TickTimes,
    now: number,
    dryRun: boolean,
  ): Promise<CommandReply<'schedule.upsert'> | undefined> {
    const { ticks, version, createdAt = now } = remainsOf(broken);
    const first = isToFire(spec, ticks) ? placeTick({ namespace, spec }, times.next(now)) : undefined;
    const would = { version: version + 1, createdAt, updatedAt: now };
    const written = dryRun
      ? would
      : await this.store.repair(redis, namespace, broken, { id: spec.id, specText, tick: first ?? null, owner });
    if (written === undefined) return undefined;
    const stored = { namespace, spec, specText, ...written, nextTickAt: first?.tickAt, ticks };
    if (first !== undefined && !dryRun) this.dueLoop.wakeWithin(first.dueAt - now);
    const nextRuns = dryRun ? [] : upcoming(times, stored, now);
    return { schedule: declaredSchedule(stored), created: false, changed: true, nextRuns };
  }
}

/**
 * The pending tick after a declaration: kept (undefined) while the timing is the same, so that an overdue one is still
 * fired; else the first one from now; null when there is none.
 */
function pendingTick(
  times: TickTimes,
  namespace: string,
  spec: ScheduleSpec,
  record: ScheduleRecord | undefined,
  now: number,
): PlacedTick | null | undefined {
  const first = times.next(now);
  const sameInstants = record !== undefined && sameTiming(record.spec, spec);
  // A new or differently timed schedule that would never fire is a mistake of its author.
  if (first === undefined && !sameInstants) {
    throw new CommandError('INVALID_ARGUMENT', `schedule ${spec.id} would never fire`, { neverFires: true });
  }
  if (sameInstants && record.spec.maxRuns === spec.maxRuns) return undefined;
  if (sameInstants && record.nextTickAt !== undefined && (spec.maxRuns ?? Infinity) > runsCount(record))
    return undefined;
  if (!isToFire(spec, record?.ticks)) return null;
  return placeTick({ namespace, spec }, first) ?? null;
}

function isToFire({ enabled, maxRuns }: ScheduleSpec, ticks: TickCounts | undefined): boolean {
  const isExhausted = maxRuns !== undefined && ticks !== undefined && runsCount({ ticks }) >= maxRuns;
  return enabled && !isExhausted;
}

function hasComeDue(record: ScheduleRecord | undefined, now: number): record is DueSchedule {
  return record?.nextTickAt !== undefined && record.nextTickAt <= now;
}

function upcoming(times: TickTimes, record: ScheduleRecord, now: number): number[] {
  const runs: number[] = [];
  if (!record.spec.enabled) return runs;
  const left = record.spec.maxRuns === undefined ? 3 : Math.min(3, record.spec.maxRuns - runsCount(record));
  for (
    let tick = record.nextTickAt ?? times.next(now);
    tick !== undefined && runs.length < left;
    tick = times.next(tick)
  )
    runs.push(tick);
  return runs;
}
