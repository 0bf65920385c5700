import { Injectable, Logger } from '@nestjs/common';
import type { CommandReply } from '../contract/commands.js';
import { CommandError } from '../contract/command-error.js';
import { RedisGate } from '../redis/redis-gate.js';
import type { CommandContext } from '../transport/command-context.js';
import { DueLoop } from './due-loop.js';
import { Engine } from './engine.js';
import type { HandedRun } from './engine-job.js';
import { RunCancellation } from './run-cancellation.js';
import { runView } from './run.record.js';
import { type NewRun, RunStore } from './run-store.js';
import { RunWaiters } from './run-waiters.js';

/** What an agent is told whose run has to end for the next one. */
export const OVERLAPPED = 'the next run of its schedule is due';

/** Accepts runs: writes them down, hands them to the engine, and lets the caller wait for the end. */
@Injectable()
export class RunSubmission {
  private readonly logger = new Logger(RunSubmission.name);

  constructor(
    private readonly gate: RedisGate,
    private readonly store: RunStore,
    private readonly engine: Engine,
    private readonly dueLoop: DueLoop,
    private readonly waiters: RunWaiters,
    private readonly cancellation: RunCancellation,
  ) {}

  /**
   * @throws CommandError RATE_LIMITED (too many open runs), UNAVAILABLE (Redis); with `wait` also DEADLINE_EXCEEDED, which
   * does not end the run, and the error of a run that failed
   */
  async submit(run: NewRun, wait: boolean, context: CommandContext): Promise<CommandReply<'job.submit'>> {
    const submitted = await this.gate.run(context.deadlineAt, () => this.store.submit(run));
    const { runId, deduplicated, dueAt, buffered, cancelled } = submitted;
    if (cancelled.length > 0) {
      await this.gate.run(context.deadlineAt, (redis) =>
        this.cancellation.follow(redis, run.namespace, cancelled, OVERLAPPED),
      );
    }
    if (dueAt !== undefined) this.dueLoop.wakeWithin(0);
    else if (!deduplicated && !buffered) {
      await this.handOver(
        [{ namespace: run.namespace, runId, enqueues: 1, priority: run.spec.priority, record: submitted.record }],
        context.deadlineAt,
      );
    }
    if (!wait) return { runId, deduplicated };
    const ended = runView(await this.waiters.ending(run.namespace, runId, context.deadlineAt, context.signal));
    if (ended.state !== 'succeeded') {
      const { code, message } = ended.error ?? {
        code: 'INTERNAL' as const,
        message: `run ${runId} ended ${ended.state}`,
      };
      throw new CommandError(code, message, { runId, state: ended.state });
    }
    return { runId, deduplicated, result: ended.result ?? null };
  }

  /** Lets runs that are written down begin, here or elsewhere. What fails here is not lost: the due index brings it back. */
  async handOver(runs: readonly HandedRun[], deadlineAt: number): Promise<void> {
    const others = this.engine.begin(runs);
    if (others.length === 0) return;
    try {
      await this.gate.run(deadlineAt, () => this.engine.add(others));
    } catch (error) {
      this.logger.warn(`${others.length} runs will be handed over again: ${(error as Error).message}`);
    }
  }
}
