import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import type { ScheduleView } from '../contract/schedule.schema.js';
import type { RedisClient } from '../redis/redis-client.js';
import { pageBytesOf, VIEW_OVERHEAD_BYTES } from '../runs/page-bytes.js';
import { RunStore } from '../runs/run-store.js';
import { BrokenRecordError } from '../redis/broken-record.error.js';
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

  /** @throws BrokenRecordError */
  async get(redis: RedisClient, namespace: string, id: string): Promise<ScheduleView | undefined> {
    const { record } = await this.store.read(redis, namespace, id);
    return record && this.view(redis, record);
  }

  /** In the order of their ids. Of a broken record nobody knows whether it fits the filter: it is named, and counts as one of the page. */
  async list(redis: RedisClient, request: CommandRequest<'schedule.list'>): Promise<CommandReply<'schedule.list'>> {
    const { namespace, limit } = request;
    const found: ScheduleRecord[] = [];
    const broken: BrokenRecordError[] = [];
    let cursor = request.cursor;
    let more = true;
    let bytes = 0;
    const pageBytes = pageBytesOf(this.settings);
    for (
      let scanned = 0;
      more && scanned < MAX_SCANNED && found.length + broken.length < limit;
      scanned += BATCH_COUNT
    ) {
      const ids = await this.store.ids(redis, namespace, cursor, BATCH_COUNT);
      const names = ids.map((id) => ({ namespace, id }));
      const { records } = await this.store.readAll(redis, names);
      more = ids.length === BATCH_COUNT;
      for (const [at, record] of records.entries()) {
        if (record instanceof BrokenRecordError) broken.push(record);
        else if (record !== undefined && matches(record, request)) {
          bytes += Buffer.byteLength(record.specText) + VIEW_OVERHEAD_BYTES;
          if (bytes > pageBytes && found.length > 0) return this.page(redis, found, broken, cursor);
          found.push(record);
        }
        cursor = ids[at];
        if (found.length + broken.length === limit) {
          more ||= at < ids.length - 1;
          break;
        }
      }
    }
    return this.page(redis, found, broken, more ? cursor : undefined);
  }

  private async page(
    redis: RedisClient,
    records: readonly ScheduleRecord[],
    broken: readonly BrokenRecordError[],
    nextCursor: string | undefined,
  ): Promise<CommandReply<'schedule.list'>> {
    const items = await Promise.all(records.map((record) => this.view(redis, record)));
    return {
      items,
      ...(broken.length === 0 ? {} : { broken: broken.map(({ id, why }) => ({ id, why })) }),
      ...(nextCursor === undefined ? {} : { nextCursor }),
    };
  }

  private async view(redis: RedisClient, record: ScheduleRecord): Promise<ScheduleView> {
    const { spec, nextTickAt, pausedAt, lastRunId, lastTickAt, latenessMs, namespace, ticks } = record;
    const known = lastRunId === undefined ? undefined : await this.runs.look(redis, namespace, lastRunId);
    const lastRun = known instanceof BrokenRecordError ? undefined : known;
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
