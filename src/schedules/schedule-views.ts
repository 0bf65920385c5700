import { Injectable } from '@nestjs/common';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import type { ScheduleView } from '../contract/schedule.schema.js';
import type { RedisClient } from '../redis/redis-client.js';
import { RunStore } from '../runs/run-store.js';
import { declaredSchedule, type ScheduleRecord } from './schedule.record.js';
import { ScheduleStore } from './schedule-store.js';
import { placeTick } from './schedule-ticker.js';

/** Schedules read for one page at most; a rare tag answers with a short page and a cursor. */
const MAX_SCANNED = 2_000;
const BATCH_COUNT = 200;

/** Schedules with where they stand. */
@Injectable()
export class ScheduleViews {
  constructor(
    private readonly store: ScheduleStore,
    private readonly runs: RunStore,
  ) {}

  async get(redis: RedisClient, namespace: string, id: string): Promise<ScheduleView | undefined> {
    const { record } = await this.store.read(redis, namespace, id);
    return record && this.view(redis, record);
  }

  /** In the order of their ids. */
  async list(redis: RedisClient, request: CommandRequest<'schedule.list'>): Promise<CommandReply<'schedule.list'>> {
    const { namespace, limit } = request;
    const found: ScheduleRecord[] = [];
    let cursor = request.cursor;
    let more = true;
    for (let scanned = 0; more && scanned < MAX_SCANNED && found.length < limit; scanned += BATCH_COUNT) {
      const ids = await this.store.ids(redis, namespace, cursor, BATCH_COUNT);
      const records = await Promise.all(ids.map((id) => this.store.read(redis, namespace, id)));
      more = ids.length === BATCH_COUNT;
      for (const [at, { record }] of records.entries()) {
        cursor = ids[at];
        if (record !== undefined && matches(record, request)) found.push(record);
        if (found.length === limit) {
          more ||= at < ids.length - 1;
          break;
        }
      }
    }
    const items = await Promise.all(found.map((record) => this.view(redis, record)));
    return more ? { items, nextCursor: cursor } : { items };
  }

  private async view(redis: RedisClient, record: ScheduleRecord): Promise<ScheduleView> {
    const { spec, nextTickAt, pausedAt, lastRunId, lastTickAt, latenessMs, namespace, ticks } = record;
    const lastRun = lastRunId === undefined ? undefined : await this.runs.load(redis, namespace, lastRunId);
    const isPaused = pausedAt !== undefined || !spec.enabled;
    return {
      ...declaredSchedule(record),
      state: isPaused ? 'paused' : nextTickAt === undefined ? 'ended' : 'active',
      pausedAt,
      pausedReason: record.pausedReason ?? spec.pausedReason,
      nextRunAt: isPaused ? undefined : placeTick(record, nextTickAt)?.dueAt,
      lastRun: lastRun && { runId: lastRun.runId, tickAt: lastTickAt, state: lastRun.state },
      latenessMs,
      ticks: {
        demandedCount: ticks.fired + ticks.late + ticks.skipped + ticks.missed,
        firedCount: ticks.fired,
        lateCount: ticks.late,
        skippedCount: ticks.skipped,
        missedCount: ticks.missed,
      },
      owner: record.owner,
    };
  }
}

function matches({ spec }: ScheduleRecord, { tag, enabled }: CommandRequest<'schedule.list'>): boolean {
  return (tag === undefined || spec.tags.includes(tag)) && (enabled === undefined || spec.enabled === enabled);
}
