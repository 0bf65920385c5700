import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import { InFlight } from '../lifecycle/in-flight.js';
import type { RedisClient } from '../redis/redis-client.js';
import { RedisGate } from '../redis/redis-gate.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { RedisScript } from '../redis/redis-script.js';
import { claimDueLua } from './claim-due.lua.js';
import { type DueItem, dueItems } from './due-item.js';
import { DueOutlook } from './due-outlook.js';
import { overdueLua } from './overdue.lua.js';

/** What has come due and nobody has claimed yet. */
export interface Overdue {
  overdueCount: number;
  /** For how long the first of it has been due, in ms by Redis' clock. */
  overdueMs: number;
}

/** Deals with what came due; `now` is Redis' time of the claim. */
export type DueHandler = (redis: RedisClient, items: readonly DueItem[], now: number) => Promise<void>;

/** How many are claimed at once. More would let one replica hold what another could do. */
const CLAIM_COUNT = 256;
/** Claims that are dealt with at the same time. */
const CLAIMS_AHEAD = 4;
/** A claimed member comes back after this if its replica has died. */
const CLAIM_MS = 2_000;
const ERROR_PAUSE_MS = 250;

/**
 * Wakes when the next thing in the due index is due. All time is Redis' time; this process' clock only decides how long
 * to sleep, as a difference. Every replica runs one; the claim script gives each member to one of them.
 */
@Injectable()
export class DueLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(DueLoop.name);
  private readonly claimScript = new RedisScript<(number | string)[]>('claim-due', claimDueLua);
  private readonly overdueScript = new RedisScript<[count: number, ms: number]>('overdue', overdueLua);
  private readonly handlers = new Map<string, DueHandler>();
  private timer?: NodeJS.Timeout;
  private wakeAt = Number.POSITIVE_INFINITY;
  private turning = false;
  private turnAgain = false;
  private stopped = false;

  constructor(
    private readonly gate: RedisGate,
    private readonly keys: RedisKeys,
    @Inject(SETTINGS) private readonly settings: Settings,
    private readonly inFlight: InFlight,
    private readonly outlook: DueOutlook,
  ) {}

  /** @param kind first letter of the members in the due index: `s` schedules, `r` runs */
  handle(kind: string, handler: DueHandler): void {
    this.handlers.set(kind, handler);
  }

  onApplicationBootstrap(): void {
    this.sleep(0);
  }

  /** Takes nothing new; what it has claimed is dealt with, or comes back on another replica. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.inFlight.idle(CLAIM_MS, 'due');
  }

  /** Tells the loop of something that comes due in this many ms; it sleeps no longer than that. */
  wakeWithin(ms: number): void {
    this.sleep(ms);
    this.outlook.expect(ms);
  }

  /** Counts what is due now, of all replicas: O(log n), one round trip. @throws CommandError when Redis does not answer in time */
  async overdue(deadlineAt: number): Promise<Overdue> {
    const [overdueCount, overdueMs] = await this.gate.run(deadlineAt, (redis) =>
      this.overdueScript.run(redis, [this.keys.key('due')], [this.keys.key()]),
    );
    return { overdueCount, overdueMs };
  }

  private sleep(ms: number): void {
    if (this.stopped) return;
    // Never longer than to the next look: a tick of next year is more than a timer takes.
    const delayMs = Math.min(Math.max(0, ms), this.settings.tickPollEveryMs);
    const at = performance.now() + delayMs;
    if (at >= this.wakeAt) return;
    this.wakeAt = at;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.turn(), delayMs);
    this.timer.unref();
  }

  private async turn(): Promise<void> {
    this.wakeAt = Number.POSITIVE_INFINITY;
    if (this.turning) {
      this.turnAgain = true;
      return;
    }
    this.turning = true;
    const done = this.inFlight.begin('due');
    let nextMs = ERROR_PAUSE_MS;
    try {
      nextMs = await this.claimAndHandle();
    } catch (error) {
      this.logger.debug(`due index: ${(error as Error).message}`);
    } finally {
      done();
      this.turning = false;
      if (this.turnAgain) nextMs = 0;
      this.turnAgain = false;
      this.sleep(nextMs);
    }
  }

  /**
   * Claims until nothing more is due. What was claimed is dealt with while the next is claimed.
   * @returns how long to sleep
   */
  private async claimAndHandle(): Promise<number> {
    const underWay: Promise<void>[] = [];
    try {
      for (;;) {
        const [now, nextScore, ...claimed] = await this.gate.run(Date.now() + CLAIM_MS, (redis) =>
          this.claimScript.run(redis, [this.keys.key('due')], [this.keys.key(), CLAIM_COUNT, CLAIM_MS]),
        );
        if (claimed.length > 0) {
          const handled = this.handleAll(claimed, Number(now));
          // Awaited below, perhaps after it failed.
          handled.catch(() => undefined);
          underWay.push(handled);
        }
        if (claimed.length / 2 < CLAIM_COUNT || this.stopped) {
          await Promise.all(underWay.splice(0));
          if (Number(nextScore) < 0) return this.settings.tickPollEveryMs;
          const nextMs = Math.max(0, Number(nextScore) - Number(now));
          this.outlook.expect(nextMs);
          return nextMs;
        }
        if (underWay.length >= CLAIMS_AHEAD) await underWay.shift();
      }
    } finally {
      // What fails comes due again; the first failure is told.
      await Promise.allSettled(underWay);
    }
  }

  private async handleAll(claimed: readonly (number | string)[], now: number): Promise<void> {
    const byKind = dueItems(claimed);
    await Promise.all(
      [...byKind].map(([kind, items]) => {
        const handler = this.handlers.get(kind);
        if (handler === undefined) return undefined;
        return this.gate.run(Date.now() + CLAIM_MS, (redis) => handler(redis, items, now));
      }),
    );
  }
}
