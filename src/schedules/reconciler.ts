import { randomUUID } from 'node:crypto';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import type { BrokenRecordError } from '../redis/broken-record.error.js';
import { InFlight } from '../lifecycle/in-flight.js';
import type { RedisClient } from '../redis/redis-client.js';
import { RedisGate } from '../redis/redis-gate.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { RedisScript } from '../redis/redis-script.js';
import { DispatchStats } from '../runs/dispatch-stats.js';
import { DueLoop } from '../runs/due-loop.js';
import { runsCount, type ScheduleRecord } from './schedule.record.js';
import { ScheduleStore } from './schedule-store.js';
import { placeTick } from './schedule-ticker.js';
import { leaveLeadLua, repairDueLua, takeLeadLua } from './take-lead.lua.js';
import { TickTimes } from './tick-times.js';

const BATCH_COUNT = 200;
/** Runs looked at in one pass and namespace, about a tenth of a second of Redis' time; the next pass goes on behind them. */
const RUNS_PER_PASS = 50_000;
const STEP_MS = 5_000;
/** The lead outlives this many passes of a leader that is slow. */
const LEASE_PASSES = 3;

/**
 * The last resort against lost due times. Runs and schedules keep themselves in the due index; what nevertheless fell out of it (an
 * operator's mistake, a Redis that lost its newest second) is put back, and counted in `system.stats`. One replica leads at a
 * time; two that both believe so would do the same thing twice, which changes nothing.
 */
@Injectable()
export class Reconciler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Reconciler.name);
  private readonly self = randomUUID();
  private readonly takeLead = new RedisScript<number>('take-lead', takeLeadLua);
  private readonly leaveLead = new RedisScript<number>('leave-lead', leaveLeadLua);
  private readonly repairDue = new RedisScript<[number, number]>('repair-due', repairDueLua);
  private readonly runsFrom = new Map<string, number>();
  private timer?: NodeJS.Timeout;
  private isLeading = false;

  constructor(
    private readonly gate: RedisGate,
    private readonly keys: RedisKeys,
    private readonly store: ScheduleStore,
    private readonly dueLoop: DueLoop,
    private readonly stats: DispatchStats,
    private readonly inFlight: InFlight,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.pass(), this.settings.reconcileEveryMs);
    this.timer.unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.inFlight.idle(STEP_MS, 'reconcile');
    if (!this.isLeading) return;
    await this.gate
      .run(Date.now() + 500, (redis) => this.run(redis, this.leaveLead, [this.self]))
      // The lease ends by itself.
      .catch(() => undefined);
  }

  private async pass(): Promise<void> {
    if (this.inFlight.count('reconcile') > 0) return;
    const done = this.inFlight.begin('reconcile');
    try {
      const term = await this.step((redis) =>
        this.run(redis, this.takeLead, [this.self, this.settings.reconcileEveryMs * LEASE_PASSES]),
      );
      this.isLeading = term > 0;
      if (!this.isLeading) return;
      const namespaces = await this.step((redis) => redis.smembers(this.keys.key('namespaces')));
      for (const namespace of namespaces) {
        await this.reconcileSchedules(namespace, term);
        await this.reconcileRuns(namespace, term);
      }
    } catch (error) {
      this.logger.debug(`not reconciled: ${(error as Error).message}`);
    } finally {
      done();
    }
  }

  private async reconcileSchedules(namespace: string, term: number): Promise<void> {
    let after: string | undefined;
    for (;;) {
      const ids = await this.step((redis) => this.store.ids(redis, namespace, after, BATCH_COUNT));
      if (ids.length > 0) {
        await this.repair(namespace, 's', ids, term);
        await this.step((redis) => this.restoreTicks(redis, namespace, ids));
      }
      if (ids.length < BATCH_COUNT) return;
      after = ids.at(-1);
    }
  }

  /** A schedule that has ticks to come must have a next one. */
  private async restoreTicks(redis: RedisClient, namespace: string, ids: readonly string[]): Promise<void> {
    const names = ids.map((id) => ({ namespace, id }));
    const { now, records } = await this.store.readAll(redis, names);
    for (const [index, record] of records.entries()) await this.restoreTick(redis, names[index], record, now);
  }

  private async restoreTick(
    redis: RedisClient,
    { namespace, id }: { namespace: string; id: string },
    record: ScheduleRecord | BrokenRecordError | undefined,
    now: number,
  ): Promise<void> {
    // A broken one holds back no other; it is complained about when it is due.
    if (record === undefined || record instanceof Error || record.nextTickAt !== undefined || !record.spec.enabled)
      return;
    if (record.spec.maxRuns !== undefined && runsCount(record) >= record.spec.maxRuns) return;
    const next = placeTick(record, new TickTimes(record.spec).next(Math.max(now, record.lastTickAt ?? 0)));
    if (next === undefined) return;
    const restored = await this.store.write(redis, namespace, id, record.version, record.specText, next);
    if (restored !== undefined) this.count(namespace, 1, `schedule ${id} had lost its next tick`);
  }

  /** The newest first, and no further than there are runs that have not ended: of many that are kept, most have. */
  private async reconcileRuns(namespace: string, term: number): Promise<void> {
    const index = this.keys.key('runs', namespace);
    const [keptCount, endedCount] = await this.step((redis) =>
      Promise.all([redis.zcard(index), redis.zcard(this.keys.key('ended', namespace))]),
    );
    const from = this.runsFrom.get(namespace) ?? 0;
    this.runsFrom.delete(namespace);
    let openCount = keptCount - endedCount;
    for (let seen = 0; openCount > 0; seen += BATCH_COUNT) {
      const start = from + seen;
      if (seen >= RUNS_PER_PASS) {
        this.runsFrom.set(namespace, start);
        return;
      }
      const ids = await this.step((redis) => redis.zrevrange(index, start, start + BATCH_COUNT - 1));
      if (ids.length === 0) return;
      openCount -= await this.repair(namespace, 'r', ids, term);
    }
  }

  /** @returns how many of the runs have not ended */
  private async repair(namespace: string, kind: 'r' | 's', ids: readonly string[], term: number): Promise<number> {
    const [repaired, openCount] = await this.step((redis) =>
      this.run(redis, this.repairDue, [term, namespace, kind, ...ids]),
    );
    if (repaired > 0)
      this.count(namespace, repaired, `${repaired} ${kind === 'r' ? 'runs' : 'schedules'} were not in the due index`);
    if (repaired < 0) throw new Error('another replica leads by now');
    return openCount;
  }

  private count(namespace: string, repaired: number, what: string): void {
    this.logger.warn(`namespace ${namespace}: ${what}; repaired`);
    for (let count = 0; count < repaired; count += 1) this.stats.repaired(false);
    this.dueLoop.wakeWithin(0);
  }

  private step<T>(work: (redis: RedisClient) => Promise<T>): Promise<T> {
    return this.gate.run(Date.now() + STEP_MS, work);
  }

  private run<Reply>(redis: RedisClient, script: RedisScript<Reply>, args: (string | number)[]): Promise<Reply> {
    return script.run(redis, [this.keys.key('due')], [this.keys.key(), ...args]);
  }
}
