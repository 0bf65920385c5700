import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from './fleet.js';
import type { Journal } from './journal.js';

/** A frozen replica answers nothing; the next one is asked soon. */
const DEADLINE_MS = 500;

/** Reads results while the run goes on: none may ever be older than what was read before. */
export class ResultWatch {
  readsCount = 0;
  backwardsCount = 0;
  private isOver = false;
  private done: Promise<void> = Promise.resolve();

  constructor(
    private readonly fleet: Fleet,
    private readonly keys: readonly string[],
    private readonly journal: Journal,
  ) {}

  start(everyMs: number): void {
    this.done = this.watch(everyMs);
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.done;
  }

  private async watch(everyMs: number): Promise<void> {
    const newest = new Map<string, { tickAt: number; version: number }>();
    for (let turn = 0; !this.isOver; turn += 1) {
      const key = this.keys[turn % this.keys.length];
      const read = await this.fleet
        .anywhere((client) => client.results.get({ key }, { deadlineMs: DEADLINE_MS }))
        .catch((error: { code?: string; message: string }) => {
          if (error.code !== 'NOT_FOUND') this.journal.troubles.push(`result.get ${key}: ${error.message}`);
        });
      if (read !== undefined) {
        this.readsCount += 1;
        const { tickAt, version } = read;
        const before = newest.get(key);
        if (before !== undefined && (tickAt < before.tickAt || version < before.version)) {
          this.backwardsCount += 1;
          this.journal.violations.push(`result ${key} moved back from tick ${before.tickAt} to ${tickAt}`);
        }
        newest.set(key, { tickAt, version });
      } else if (newest.has(key)) {
        this.backwardsCount += 1;
        this.journal.violations.push(`result ${key} is gone`);
      }
      await sleep(everyMs);
    }
  }
}
