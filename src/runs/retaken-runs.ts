import { Injectable } from '@nestjs/common';
import { RedisGate } from '../redis/redis-gate.js';
import type { HandedRun } from './engine-job.js';
import { RunStore } from './run-store.js';

const TIMEOUT_MS = 2_000;

/** Runs that waited at this replica until another one may have begun them, as the due index hands out what nobody began in time. */
@Injectable()
export class RetakenRuns {
  constructor(
    private readonly gate: RedisGate,
    private readonly store: RunStore,
  ) {}

  /**
   * Takes them from whoever else was handed them meanwhile and has not begun them.
   * @returns those that are nobody else's, under their new numbers
   * @throws CommandError UNAVAILABLE when Redis fails; then they come due again
   */
  retake(runs: readonly HandedRun[]): Promise<HandedRun[]> {
    return this.gate.run(Date.now() + TIMEOUT_MS, async (redis) => {
      const retaken = await Promise.all(
        runs.map(async (run) => {
          const taken = await this.store.requeue(redis, run.namespace, run.runId, true);
          return taken && { ...run, enqueues: taken.enqueues };
        }),
      );
      return retaken.filter((run) => run !== undefined);
    });
  }
}
