import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import type { RedisClient } from '../redis/redis-client.js';
import { type DueItem, DueLoop } from '../runs/due-loop.js';
import type { EngineJob } from '../runs/engine.js';
import { RunSubmission } from '../runs/run-submission.js';
import { jitterOf } from './jitter.js';
import { Lateness } from './lateness.js';
import { runSpecOf } from './run-spec.js';
import type { ScheduleRecord } from './schedule.record.js';
import { type PlacedTick, ScheduleStore } from './schedule-store.js';
import { planTicks } from './tick-plan.js';
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
    if (record === undefined || record.nextTickAt === undefined) {
      await this.store.dropLeftover(redis, namespace, id);
      return [];
    }
    const { spec } = record;
    const times = new TickTimes(spec);
    const plan = planTicks({
      next: (after) => times.next(after),
      nextTickAt: record.nextTickAt,
      // A tick is due when its jitter is over, too.
      now: now - jitterOf(namespace, id, record.nextTickAt, spec.jitterMs),
      misfireThresholdMs: this.settings.misfireThresholdMs,
      misfire: spec.misfire,
      catchupWindowMs: spec.catchupWindowMs,
      remainingRuns: spec.maxRuns === undefined ? undefined : Math.max(0, spec.maxRuns - record.firedCount),
    });
    const next = placeTick(record, plan.nextTickAt);
    const ticks = plan.fire.map((tickAt) => ({ tickAt, runId: `${id}@${tickAt}` }));
    const firstFired = placeTick(record, plan.fire[0]);
    const latenessMs = firstFired === undefined ? undefined : Math.max(0, now - firstFired.dueAt);
    const made = await this.store.fire(redis, record, ticks, next, latenessMs, runSpecOf(spec));
    if (next !== undefined) this.dueLoop.wakeWithin(next.dueAt - now);
    if (made === undefined) return [];
    if (latenessMs !== undefined) this.lateness.record(latenessMs);
    return made.map((runId) => ({ namespace, runId, enqueues: 1 }));
  }
}

/** When a schedule's tick is due: at its instant, later by its jitter. */
export function placeTick(
  { namespace, spec }: Pick<ScheduleRecord, 'namespace' | 'spec'>,
  tickAt: number | undefined,
): PlacedTick | undefined {
  if (tickAt === undefined) return undefined;
  return { tickAt, dueAt: tickAt + jitterOf(namespace, spec.id, tickAt, spec.jitterMs) };
}
