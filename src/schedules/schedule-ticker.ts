import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import type { RedisClient } from '../redis/redis-client.js';
import { type DueItem, DueLoop } from '../runs/due-loop.js';
import type { EngineJob } from '../runs/engine-job.js';
import { RunCancellation } from '../runs/run-cancellation.js';
import { RunStore } from '../runs/run-store.js';
import { OVERLAPPED, RunSubmission } from '../runs/run-submission.js';
import { jitterOf } from './jitter.js';
import { Lateness } from './lateness.js';
import { runSpecOf } from './run-spec.js';
import { runsCount, type ScheduleRecord } from './schedule.record.js';
import { type PlacedTick, ScheduleStore, type TickEntry } from './schedule-store.js';
import { planTicks } from './tick-plan.js';
import { tickSpan } from './tick-span.js';
import { TickTimes } from './tick-times.js';

const HAND_OVER_MS = 2_000;

/** Turns due ticks into runs. */
@Injectable()
export class ScheduleTicker implements OnModuleInit {
  private readonly logger = new Logger(ScheduleTicker.name);

  constructor(
    private readonly dueLoop: DueLoop,
    private readonly store: ScheduleStore,
    private readonly submission: RunSubmission,
    private readonly cancellation: RunCancellation,
    private readonly runs: RunStore,
    private readonly lateness: Lateness,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  onModuleInit(): void {
    this.dueLoop.handle('s', (redis, items) => this.fireDue(redis, items));
  }

  private async fireDue(redis: RedisClient, items: readonly DueItem[]): Promise<void> {
    const outcomes = await Promise.allSettled(items.map((item) => this.fireOne(redis, item)));
    const jobs: EngineJob[] = [];
    for (const [at, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled') jobs.push(...outcome.value);
      // One broken record must not hold back the others; it comes due again after its claim.
      else this.logger.error(`schedule ${items[at].namespace}/${items[at].id}: ${(outcome.reason as Error).message}`);
    }
    await this.submission.handOver(jobs, Date.now() + HAND_OVER_MS);
  }

  private async fireOne(redis: RedisClient, { namespace, id }: DueItem): Promise<EngineJob[]> {
    const { now, record } = await this.store.read(redis, namespace, id);
    if (record?.nextTickAt === undefined || record.pausedAt !== undefined) {
      await this.store.dropLeftover(redis, namespace, id);
      return [];
    }
    const { spec } = record;
    const times = new TickTimes(spec);
    const nextTick = (after: number) => times.next(after);
    const plan = planTicks({
      times: {
        next: nextTick,
        span: (from, until, limit) => tickSpan(nextTick, spec.everyMs, from, until, limit),
      },
      nextTickAt: record.nextTickAt,
      now,
      isDue: (tickAt) => tickAt + jitterOf(namespace, id, tickAt, spec.jitterMs) <= now,
      misfireThresholdMs: this.settings.misfireThresholdMs + spec.jitterMs,
      misfire: spec.misfire,
      catchupWindowMs: spec.catchupWindowMs,
      skipUntil: record.skipUntil,
      remainingRuns: spec.maxRuns === undefined ? undefined : Math.max(0, spec.maxRuns - runsCount(record)),
    });
    const next = placeTick(record, plan.nextTickAt);
    const latenessOf = (tickAt: number) => Math.max(0, now - (placeTick(record, tickAt)?.dueAt ?? now));
    const entries: TickEntry[] = [];
    let worstMs: number | undefined;
    for (const entry of plan.entries) {
      if (!entry.fire) {
        entries.push(entry);
        continue;
      }
      const { tickAt } = entry;
      const latenessMs = latenessOf(tickAt);
      worstMs = Math.max(worstMs ?? 0, latenessMs);
      const lateMs = latenessMs > this.settings.lateAfterMs ? latenessMs : undefined;
      entries.push({ tickAt, runId: tickRunId(id, tickAt), lateMs });
    }
    const fired = await this.store.fire(redis, record, entries, next, worstMs, runSpecOf(spec), this.runs.keep);
    if (next !== undefined) this.dueLoop.wakeWithin(next.dueAt - now);
    if (fired === undefined) return [];
    if (worstMs !== undefined) this.lateness.record(worstMs);
    if (fired.cancelled.length > 0) await this.cancellation.follow(redis, namespace, fired.cancelled, OVERLAPPED);
    return fired.made.map((runId) => ({ namespace, runId, enqueues: 1 }));
  }
}

/** The id of a tick's run: whoever fires the tick, it is the same run. */
export function tickRunId(scheduleId: string, tickAt: number): string {
  return `${scheduleId}@${tickAt}`;
}

/** When a schedule's tick is due: at its instant, later by its jitter. */
export function placeTick(
  { namespace, spec }: Pick<ScheduleRecord, 'namespace' | 'spec'>,
  tickAt: number | undefined,
): PlacedTick | undefined {
  if (tickAt === undefined) return undefined;
  return { tickAt, dueAt: tickAt + jitterOf(namespace, spec.id, tickAt, spec.jitterMs) };
}
