import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import type { RedisClient } from '../redis/redis-client.js';
import type { DueItem } from '../runs/due-item.js';
import { DueLoop } from '../runs/due-loop.js';
import { DueOutlook } from '../runs/due-outlook.js';
import type { HandedRun } from '../runs/engine-job.js';
import type { FirstDispatch, RunToMake } from '../runs/first-dispatch.js';
import { newRun } from '../runs/run.record.js';
import { RunCancellation } from '../runs/run-cancellation.js';
import { OVERLAPPED, RunSubmission } from '../runs/run-submission.js';
import { jitterOf } from './jitter.js';
import { Lateness } from './lateness.js';
import { runSpecOf } from './run-spec.js';
import { runsCount, type ScheduleRecord } from './schedule.record.js';
import { type Firing, type FiringTick, type PlacedTick, ScheduleStore, type TickEntry } from './schedule-store.js';
import { PlannedFirings } from './planned-firings.js';
import { planTicks } from './tick-plan.js';
import { tickSpan } from './tick-span.js';
import { TickTimes } from './tick-times.js';

const HAND_OVER_MS = 2_000;
/** Schedules that are read together, and due times that one script deals with at most. */
const BATCH_COUNT = 50;
const MAX_SCRIPT_CHARS = 262_144;

/** Turns due ticks into runs. */
@Injectable()
export class ScheduleTicker implements OnModuleInit {
  private readonly logger = new Logger(ScheduleTicker.name);

  constructor(
    private readonly dueLoop: DueLoop,
    private readonly outlook: DueOutlook,
    private readonly store: ScheduleStore,
    private readonly submission: RunSubmission,
    private readonly cancellation: RunCancellation,
    private readonly lateness: Lateness,
    private readonly planned: PlannedFirings,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  onModuleInit(): void {
    this.dueLoop.handle('s', (redis, items, now) => this.fireDue(redis, items, now));
    this.outlook.handle('s', (redis, items) => this.planAhead(redis, items));
  }

  /**
   * By the batch: Redis serves others between two of them, and the runs of the first begin while the next is dealt with. None
   * waits for the answer to the one before it.
   */
  private async fireDue(redis: RedisClient, items: readonly DueItem[], now: number): Promise<void> {
    this.submission.lookAhead(new Set(items.map(({ namespace }) => namespace)));
    const batches: Promise<void>[] = [];
    for (let from = 0; from < items.length; from += BATCH_COUNT) {
      batches.push(this.fireBatch(redis, items.slice(from, from + BATCH_COUNT), now));
    }
    const failed = (await Promise.allSettled(batches)).find((batch) => batch.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  private async fireBatch(redis: RedisClient, batch: readonly DueItem[], now: number): Promise<void> {
    const ready: Firing[] = [];
    const unread: DueItem[] = [];
    for (const item of batch) {
      const firing = this.planned.take(item, now);
      if (firing === undefined) unread.push(item);
      else ready.push(firing);
    }
    const [overtaken] = await Promise.all([
      this.fireAll(redis, ready, now),
      unread.length > 0 ? this.readAndFire(redis, unread) : undefined,
    ]);
    // Something changed since the plan was made: it is made again from what holds now.
    const names = overtaken.map(({ record: { namespace, spec } }) => ({ namespace, id: spec.id }));
    if (names.length > 0) await this.readAndFire(redis, names);
  }

  private async readAndFire(redis: RedisClient, names: readonly { namespace: string; id: string }[]): Promise<void> {
    const { now, records } = await this.store.readAll(redis, names);
    const firings: Firing[] = [];
    for (const [index, record] of records.entries()) {
      const { namespace, id } = names[index];
      try {
        if (record instanceof Error) throw record;
        if (isDueEver(record)) firings.push(this.plan(record, now));
        else await this.store.dropLeftover(redis, namespace, id);
      } catch (error) {
        this.failed(namespace, id, (error as Error).message);
      }
    }
    await this.fireAll(redis, firings, now);
  }

  /** @returns those whose schedule is no longer as it was read */
  private async fireAll(redis: RedisClient, firings: readonly Firing[], now: number): Promise<Firing[]> {
    const handOvers: Promise<void>[] = [];
    const overtaken: Firing[] = [];
    for (const together of inScripts(firings)) {
      const fired = await this.fire(redis, together, now);
      handOvers.push(fired.handedOver);
      overtaken.push(...fired.overtaken);
    }
    await Promise.all(handOvers);
    return overtaken;
  }

  /** Reads and plans what comes due soon, a batch after the other: there is time. */
  private async planAhead(redis: RedisClient, items: readonly DueItem[]): Promise<void> {
    const unplanned = items.filter((item) => !this.planned.has(item));
    this.submission.lookAhead(new Set(items.map(({ namespace }) => namespace)));
    for (let from = 0; from < unplanned.length; from += BATCH_COUNT) {
      const batch = unplanned.slice(from, from + BATCH_COUNT);
      const { now, records } = await this.store.readAll(redis, batch);
      const routed: Promise<void>[] = [];
      for (const [index, record] of records.entries()) {
        // A record that is broken or cannot be planned is complained about when it is due.
        if (record instanceof Error || !isDueEver(record)) continue;
        const item = batch[index];
        const firing = this.planned.plan(item, now, () => this.plan(record, item.dueAt));
        if (firing !== undefined) routed.push(this.routeAhead(firing));
      }
      await Promise.all(routed);
    }
  }

  /**
   * Deals with ticks of one schedule that have come, before its timing changes: the policies of the old declaration hold for them. Of
   * a paused schedule they are skipped. One look; there may be more than it takes.
   * @throws Error when its record is broken
   */
  async settle(redis: RedisClient, record: DueSchedule, now: number): Promise<void> {
    const until = record.pausedAt === undefined ? record.skipUntil : now;
    const firing = { ...this.plan({ ...record, skipUntil: until }, now, () => true), record };
    const [outcome] = await this.store.fire(redis, [firing]);
    await this.submission.handOver(await this.follow(redis, [firing], [outcome], now), Date.now() + HAND_OVER_MS);
    if (outcome !== undefined && 'error' in outcome) throw new Error(outcome.error);
  }

  private async routeAhead(firing: Firing): Promise<void> {
    for (const { run, tick } of runsToMake(firing)) tick.begin = await this.submission.routeAhead(run);
  }

  /** @param isDue of a tick that has come: whether its jitter is over, too */
  private plan(record: DueSchedule, now: number, isDue?: (tickAt: number) => boolean): Firing {
    const { namespace, spec } = record;
    const { id } = spec;
    const times = new TickTimes(spec);
    const nextTick = (after: number) => times.next(after);
    const plan = planTicks({
      times: {
        next: nextTick,
        span: (from, until, limit) => tickSpan(nextTick, spec.everyMs, from, until, limit),
      },
      nextTickAt: record.nextTickAt,
      now,
      isDue: isDue ?? ((tickAt) => tickAt + jitterOf(namespace, id, tickAt, spec.jitterMs) <= now),
      misfireThresholdMs: this.settings.misfireThresholdMs + spec.jitterMs,
      misfire: spec.misfire,
      catchupWindowMs: spec.catchupWindowMs,
      skipUntil: record.skipUntil,
      remainingRuns: spec.maxRuns === undefined ? undefined : Math.max(0, spec.maxRuns - runsCount(record)),
    });
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
    const next = placeTick(record, plan.nextTickAt);
    const runSpec = runSpecOf(spec);
    return { record, entries, next, latenessMs: worstMs, spec: runSpec, specText: JSON.stringify(runSpec) };
  }

  /** The runs that get a place begin in the script that makes them. */
  private async fire(
    redis: RedisClient,
    firings: readonly Firing[],
    now: number,
  ): Promise<{ handedOver: Promise<void>; overtaken: Firing[] }> {
    const runs = firings.flatMap(runsToMake);
    const { places, dispatches } = await this.submission.prepare(runs.map(({ run }) => run));
    try {
      for (const [index, { tick }] of runs.entries()) tick.begin = dispatches[index];
      const outcomes = await this.store.fire(redis, firings);
      const made = await this.follow(redis, firings, outcomes, now);
      return {
        handedOver: this.submission.handOver(made, Date.now() + HAND_OVER_MS, places),
        overtaken: firings.filter((_firing, index) => outcomes[index] === undefined),
      };
    } catch (error) {
      places.close();
      throw error;
    }
  }

  /** @returns the runs to hand over */
  private async follow(
    redis: RedisClient,
    firings: readonly Firing[],
    outcomes: Awaited<ReturnType<ScheduleStore['fire']>>,
    now: number,
  ): Promise<HandedRun[]> {
    const runs: HandedRun[] = [];
    const followed: Promise<void>[] = [];
    for (const [index, fired] of outcomes.entries()) {
      const { record, entries, spec, specText, next, latenessMs } = firings[index];
      const { namespace } = record;
      if (fired !== undefined && 'error' in fired) {
        this.failed(namespace, record.spec.id, fired.error);
        continue;
      }
      if (next !== undefined) this.dueLoop.wakeWithin(next.dueAt - now);
      if (fired === undefined) continue;
      if (latenessMs !== undefined) this.lateness.record(latenessMs, latenessMs > this.settings.lateAfterMs);
      const tickOf = new Map(entries.map((entry) => ('runId' in entry ? [entry.runId, entry.tickAt] : ['', 0])));
      for (const { runId, place } of fired.made) {
        const made = { namespace, runId, scheduleId: record.spec.id, tickAt: tickOf.get(runId), spec };
        runs.push({
          namespace,
          runId,
          enqueues: 1,
          record: newRun({ ...made, failedAgentIds: [] }, now, specText),
          begunAt: place,
        });
      }
      if (fired.cancelled.length > 0) {
        const following = this.cancellation.follow(redis, namespace, fired.cancelled, OVERLAPPED);
        followed.push(following.catch((error: Error) => this.failed(namespace, record.spec.id, error.message)));
      }
    }
    // First the agents are told to stop, then the next runs begin.
    await Promise.all(followed);
    return runs;
  }

  /** One broken record must not hold back the others; it comes due again after its claim. */
  private failed(namespace: string, id: string, why: string): void {
    this.logger.error(`schedule ${namespace}/${id}: ${why}`);
  }
}

/** A schedule that has a next tick. */
export type DueSchedule = ScheduleRecord & { nextTickAt: number };

function isDueEver(record: ScheduleRecord | undefined): record is DueSchedule {
  return record?.nextTickAt !== undefined && record.pausedAt === undefined;
}

/** What one script may do at once: as much as Redis does in a few milliseconds, and a command of bounded length. */
function inScripts(firings: readonly Firing[]): Firing[][] {
  const scripts: Firing[][] = [];
  let entriesCount = Infinity;
  let chars = 0;
  for (const firing of firings) {
    entriesCount += firing.entries.length;
    chars += firing.specText.length;
    if (entriesCount > BATCH_COUNT || chars > MAX_SCRIPT_CHARS) {
      scripts.push([]);
      entriesCount = firing.entries.length;
      chars = firing.specText.length;
    }
    scripts[scripts.length - 1].push(firing);
  }
  return scripts;
}

/** The ticks that become runs, with what is known of where these may begin. */
function runsToMake({
  record,
  entries,
  spec,
}: Firing): { run: RunToMake & { begin?: FirstDispatch }; tick: FiringTick }[] {
  const { namespace } = record;
  const scheduleId = record.spec.id;
  return entries
    .filter((entry) => 'runId' in entry)
    .map((tick) => {
      const { runId, begin } = tick;
      return { tick, run: { namespace, runId, scheduleId, spec, failedAgentIds: [], begin } };
    });
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
