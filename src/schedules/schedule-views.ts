import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import type { ScheduleView } from '../contract/schedule.schema.js';
import type { RedisClient } from '../redis/redis-client.js';
import { pageBytesOf, VIEW_OVERHEAD_BYTES } from '../runs/page-bytes.js';
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
    @Inject(SETTINGS) private readonly settings: Settings,
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
    let bytes = 0;
    const pageBytes = pageBytesOf(this.settings);
    for (let scanned = 0; more && scanned < MAX_SCANNED && found.length < limit; scanned += BATCH_COUNT) {
      const ids = await this.store.ids(redis, namespace, cursor, BATCH_COUNT);
      const records = await Promise.all(ids.map((id) => this.store.read(redis, namespace, id)));
      more = ids.length === BATCH_COUNT;
      for (const [at, { record }] of records.entries()) {
        if (record !== undefined && matches(record, request)) {
          bytes += Buffer.byteLength(record.specText) + VIEW_OVERHEAD_BYTES;
          if (bytes > pageBytes && found.length > 0) return this.page(redis, found, cursor);
          found.push(record);
        }
        cursor = ids[at];
        if (found.length === limit) {
          more ||= at < ids.length - 1;
          break;
        }
      }
    }
    return this.page(redis, found, more ? cursor : undefined);
  }

  private async page(
    redis: RedisClient,
    records: readonly ScheduleRecord[],
    nextCursor: string | undefined,
  ): Promise<CommandReply<'schedule.list'>> {
    const items = await Promise.all(records.map((record) => this.view(redis, record)));
    return nextCursor === undefined ? { items } : { items, nextCursor };
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
