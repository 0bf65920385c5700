import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { RedisGate } from '../redis/redis-gate.js';
import type { RedisClient } from '../redis/redis-client.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { RedisScript } from '../redis/redis-script.js';
import { type DueItem, dueItems } from './due-item.js';
import { dueOutlookLua } from './due-outlook.lua.js';

/** Makes ready for what comes due. Nothing is claimed yet: another replica may deal with it in the end. */
export type DuePreparation = (redis: RedisClient, items: readonly DueItem[]) => Promise<void>;

/** How far ahead to look: long enough to read and plan two thousand schedules on half a core. */
const AHEAD_MS = 500;
/** How far a look sees: a timer that is early, or a clock that is off, must not end it just before the crowd. */
const SEEN_MS = AHEAD_MS + 100;
/** Between two looks. Each sees what the next one would see, too, so nothing due is overlooked for want of a look. */
const APART_MS = 250;
/** Fewer than that are dealt with at once when they are due; every replica would read them ahead, and one uses them. */
const CROWD_COUNT = 16;
const MOST_COUNT = 4_096;
const LOOK_TIMEOUT_MS = 1_000;
/** What is due later than that is told again: the due loop never sleeps longer. */
const FAR_MS = 60_000 + AHEAD_MS;

/**
 * Looks into the due index shortly before a crowd comes due, so that the work that does not depend on the instant (reading and
 * planning) is over by then. Only a help: what was not prepared is dealt with all the same.
 */
@Injectable()
export class DueOutlook implements BeforeApplicationShutdown {
  private readonly logger = new Logger(DueOutlook.name);
  private readonly script = new RedisScript<string[]>('due-outlook', dueOutlookLua);
  private readonly preparations = new Map<string, DuePreparation>();
  private timer?: NodeJS.Timeout;
  private lookAt = Number.POSITIVE_INFINITY;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private looking?: Promise<void>;
  private stopped = false;

  constructor(
    private readonly gate: RedisGate,
    private readonly keys: RedisKeys,
  ) {}

  /** @param kind first letter of the members in the due index */
  handle(kind: string, preparation: DuePreparation): void {
    this.preparations.set(kind, preparation);
  }

  /** Nothing is under way any more once it resolves. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.looking;
  }

  /** Something comes due in this many ms. */
  expect(ms: number): void {
    if (this.stopped || this.looking !== undefined || ms > FAR_MS) return;
    const now = performance.now();
    const at = Math.max(now + ms - AHEAD_MS, this.lookedAt + APART_MS, now);
    if (at >= now + ms || at >= this.lookAt) return;
    this.lookAt = at;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.lookAt = Number.POSITIVE_INFINITY;
      this.lookedAt = performance.now();
      this.looking = this.look().finally(() => {
        this.looking = undefined;
      });
    }, at - now);
    this.timer.unref();
  }

  private async look(): Promise<void> {
    const deadlineAt = Date.now() + LOOK_TIMEOUT_MS;
    try {
      await this.gate.run(deadlineAt, async (redis) => {
        const args = [this.keys.key(), SEEN_MS, CROWD_COUNT, MOST_COUNT];
        const soon = dueItems(await this.script.run(redis, [this.keys.key('due')], args));
        for (const [kind, items] of soon) await this.preparations.get(kind)?.(redis, items);
      });
    } catch (error) {
      this.logger.debug(`due index: ${(error as Error).message}`);
    }
  }
}
