import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import { RedisGate } from '../redis/redis-gate.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { RedisScript } from '../redis/redis-script.js';
import { watchRunsLua } from './watch-runs.lua.js';

/** A look is put off this many times before it comes due: so often may Redis not answer. */
const LOOKS_AHEAD = 3;
/** Runs of one command. */
const BATCH_COUNT = 500;

/** A run that is under way at this replica. */
export interface WatchedRun {
  /** Of the dispatch that was begun; from then on the look after the run is put off. */
  epoch?: number;
  end(): void;
}

interface Entry {
  namespace: string;
  runId: string;
  epoch?: number;
}

/**
 * While a replica lives it puts off the look that the due index takes after each run under way there. A replica that dies or
 * freezes stops doing so, and its runs come due RUN_LOCK_MS later, however long they may take and whatever became of their engine jobs.
 */
@Injectable()
export class RunWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(RunWatch.name);
  private readonly script = new RedisScript<number>('watch-runs', watchRunsLua);
  private readonly entries = new Set<Entry>();
  private readonly countOf = new Map<string, number>();
  private timer?: NodeJS.Timeout;
  private isWatching = false;

  constructor(
    private readonly gate: RedisGate,
    private readonly keys: RedisKeys,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** How long a run may go unseen before it is looked after. */
  get lookMs(): number {
    return this.settings.runLockMs;
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.putOff(), Math.floor(this.lookMs / LOOKS_AHEAD));
    this.timer.unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Counts a run as under way here until its `end` is called. */
  begin(namespace: string, runId: string): WatchedRun {
    const entry: Entry & WatchedRun = {
      namespace,
      runId,
      end: () => {
        if (!this.entries.delete(entry)) return;
        const left = (this.countOf.get(key) ?? 1) - 1;
        if (left === 0) this.countOf.delete(key);
        else this.countOf.set(key, left);
      },
    };
    const key = `${namespace}|${runId}`;
    this.entries.add(entry);
    this.countOf.set(key, (this.countOf.get(key) ?? 0) + 1);
    return entry;
  }

  /** Whether the run is under way here, or about to be. */
  has(namespace: string, runId: string): boolean {
    return this.countOf.has(`${namespace}|${runId}`);
  }

  private async putOff(): Promise<void> {
    if (this.isWatching || this.entries.size === 0) return;
    this.isWatching = true;
    try {
      const begun = [...this.entries].filter(({ epoch }) => epoch !== undefined);
      for (let from = 0; from < begun.length; from += BATCH_COUNT) {
        const args = begun
          .slice(from, from + BATCH_COUNT)
          .flatMap(({ namespace, runId, epoch }) => [namespace, runId, epoch as number]);
        await this.gate.run(Date.now() + this.lookMs, (redis) =>
          this.script.run(redis, [this.keys.key('due')], [this.keys.key(), this.lookMs, ...args]),
        );
      }
    } catch (error) {
      this.logger.debug(`runs under way were not seen to: ${(error as Error).message}`);
    } finally {
      this.isWatching = false;
    }
  }
}
