import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { CommandError } from '../contract/command-error.js';
import { isFinalRunState } from '../contract/run.schema.js';
import { readRunState } from './run-reader.js';
import type { RunRecord } from './run.record.js';
import { RedisGate } from '../redis/redis-gate.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { RunStore } from './run-store.js';

/** How often runs that somebody waits for are looked at: one round trip for all of them, none while nobody waits. */
const POLL_EVERY_MS = 50;

interface Waiter {
  namespace: string;
  runId: string;
  settle: () => void;
}

/**
 * Lets callers wait for the end of a run on whichever replica it executes. A subscription would cost a third Redis socket
 * per replica; runs of this replica are told directly, those of others by a poll that reads all of them at once.
 */
@Injectable()
export class RunWaiters implements OnApplicationShutdown {
  private readonly waiters = new Map<string, Set<Waiter>>();
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly gate: RedisGate,
    private readonly keys: RedisKeys,
    private readonly store: RunStore,
  ) {}

  onApplicationShutdown(): void {
    clearTimeout(this.timer);
    this.waiters.clear();
  }

  /** How many callers wait. */
  get count(): number {
    let total = 0;
    for (const ofRun of this.waiters.values()) total += ofRun.size;
    return total;
  }

  /** The runs that somebody waits for. */
  runs(): { namespace: string; runId: string }[] {
    return [...this.waiters.values()].map(([...ofRun]) => ofRun[0]);
  }

  /** A run of this replica has ended. */
  ended(namespace: string, runId: string): void {
    for (const waiter of this.waiters.get(waiterKey(namespace, runId)) ?? []) waiter.settle();
  }

  /**
   * Resolves with the run once it has ended.
   * @throws CommandError DEADLINE_EXCEEDED when the signal fires first; the run goes on
   */
  async ending(namespace: string, runId: string, deadlineAt: number, signal: AbortSignal): Promise<RunRecord> {
    await this.wait(namespace, runId, signal);
    if (signal.aborted) throw new CommandError('DEADLINE_EXCEEDED', `run ${runId} has not ended yet`, { runId });
    const run = await this.gate.run(deadlineAt, (redis) => this.store.load(redis, namespace, runId));
    if (run === undefined) throw new CommandError('NOT_FOUND', `run ${runId} is not known any more`);
    return run;
  }

  private async wait(namespace: string, runId: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const key = waiterKey(namespace, runId);
    await new Promise<void>((resolve) => {
      const settle = () => {
        signal.removeEventListener('abort', settle);
        const ofRun = this.waiters.get(key);
        ofRun?.delete(waiter);
        if (ofRun?.size === 0) this.waiters.delete(key);
        resolve();
      };
      const waiter: Waiter = { namespace, runId, settle };
      const ofRun = this.waiters.get(key) ?? new Set();
      ofRun.add(waiter);
      this.waiters.set(key, ofRun);
      signal.addEventListener('abort', settle, { once: true });
      this.schedulePoll();
    });
  }

  private schedulePoll(): void {
    if (this.timer !== undefined || this.waiters.size === 0) return;
    this.timer = setTimeout(() => void this.poll(), POLL_EVERY_MS);
    this.timer.unref();
  }

  private async poll(): Promise<void> {
    const waiting = this.runs();
    try {
      const states = await this.gate.run(Date.now() + 2_000, (redis) =>
        Promise.all(waiting.map(({ namespace, runId }) => readRunState(redis, this.keys.key('run', namespace, runId)))),
      );
      states.forEach((state, index) => {
        if (state !== null && !isFinalRunState(state)) return;
        const { namespace, runId } = waiting[index];
        this.ended(namespace, runId);
      });
    } catch {
      // Redis is away: the callers' deadlines hold, and the next poll asks again.
    } finally {
      this.timer = undefined;
      this.schedulePoll();
    }
  }
}

function waiterKey(namespace: string, runId: string): string {
  return `${namespace}|${runId}`;
}
