import { Injectable } from '@nestjs/common';
import { assertRouteBuilt } from '../agents/agent-router.js';
import { CommandError } from '../contract/command-error.js';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import type { ScheduleSpec } from '../contract/schedule.schema.js';
import type { RedisClient } from '../redis/redis-client.js';
import { DueLoop } from '../runs/due-loop.js';
import { canonicalSpec, declaredSchedule, sameTiming, type ScheduleRecord } from './schedule.record.js';
import { type PlacedTick, ScheduleStore } from './schedule-store.js';
import { placeTick } from './schedule-ticker.js';
import { TickTimes } from './tick-times.js';

/** Two callers that declare one schedule at once make each other read again; more often than this is an attack. */
const MAX_WRITE_CONFLICTS = 10;

/** Stores what callers declare. Declaring what is stored already touches nothing: no pending tick moves. */
@Injectable()
export class ScheduleDeclaration {
  constructor(
    private readonly store: ScheduleStore,
    private readonly dueLoop: DueLoop,
  ) {}

  /**
   * @throws CommandError INVALID_ARGUMENT (timing, a policy that is not built), VERSION_CONFLICT, RATE_LIMITED (too many)
   */
  async upsert(
    redis: RedisClient,
    request: CommandRequest<'schedule.upsert'>,
  ): Promise<CommandReply<'schedule.upsert'>> {
    const { namespace, expectedVersion, deadlineMs: _deadline, requestId: _requestId, ...spec } = request;
    assertPoliciesBuilt(spec);
    const times = new TickTimes(spec);
    const specText = canonicalSpec(spec);

    for (let conflicts = 0; conflicts < MAX_WRITE_CONFLICTS; conflicts += 1) {
      const { now, record } = await this.store.read(redis, namespace, spec.id);
      if (expectedVersion !== undefined && expectedVersion !== (record?.version ?? 0)) {
        throw new CommandError(
          'VERSION_CONFLICT',
          `schedule ${spec.id} is at version ${record?.version ?? 0}, not ${expectedVersion}`,
          {
            version: record?.version ?? 0,
          },
        );
      }
      if (record?.specText === specText) {
        return {
          schedule: declaredSchedule(record),
          created: false,
          changed: false,
          nextRuns: upcoming(times, record, now),
        };
      }
      const tick = pendingTick(times, namespace, spec, record, now);
      const written = await this.store.write(redis, namespace, spec.id, record?.version ?? 0, specText, tick);
      if (written === undefined) continue;
      const stored: ScheduleRecord = {
        namespace,
        spec,
        specText,
        ...written,
        nextTickAt: tick === undefined ? record?.nextTickAt : tick?.tickAt,
        firedCount: record?.firedCount ?? 0,
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
  if (sameInstants && record.nextTickAt !== undefined && (spec.maxRuns ?? Infinity) > record.firedCount)
    return undefined;
  const exhausted = spec.maxRuns !== undefined && record !== undefined && record.firedCount >= spec.maxRuns;
  if (!spec.enabled || exhausted) return null;
  return placeTick({ namespace, spec }, first) ?? null;
}

function upcoming(times: TickTimes, record: ScheduleRecord, now: number): number[] {
  const runs: number[] = [];
  if (!record.spec.enabled) return runs;
  const left = record.spec.maxRuns === undefined ? 3 : Math.min(3, record.spec.maxRuns - record.firedCount);
  for (
    let tick = record.nextTickAt ?? times.next(now);
    tick !== undefined && runs.length < left;
    tick = times.next(tick)
  )
    runs.push(tick);
  return runs;
}

/** A policy that this version does not carry out is refused, never silently ignored. */
function assertPoliciesBuilt(spec: ScheduleSpec): void {
  assertRouteBuilt(spec.route);
  if (spec.overlap !== 'allow') {
    throw new CommandError('INVALID_ARGUMENT', `overlap: ${spec.overlap} is not built yet; "allow" is`, {
      field: 'overlap',
    });
  }
}
