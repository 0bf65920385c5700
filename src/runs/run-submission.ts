import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { AgentsService } from '../agents/agents.service.js';
import type { CommandReply } from '../contract/commands.js';
import { CommandError } from '../contract/command-error.js';
import { RedisGate } from '../redis/redis-gate.js';
import type { CommandContext } from '../transport/command-context.js';
import { DueLoop } from './due-loop.js';
import { Engine } from './engine.js';
import type { HandedRun } from './engine-job.js';
import type { FirstDispatch, RunToMake } from './first-dispatch.js';
import type { PlaceReservation } from './place-reservation.js';
import { RunCancellation } from './run-cancellation.js';
import { runView } from './run.record.js';
import { RunExecutor } from './run-executor.js';
import { type NewRun, RunStore, type SubmittedRun } from './run-store.js';
import { RunWaiters } from './run-waiters.js';

/** What an agent is told whose run has to end for the next one. */
export const OVERLAPPED = 'the next run of its schedule is due';

/** Agents that are remembered for a run to come. */
const MAX_CANDIDATES_AHEAD = 32;

/** Accepts runs: writes them down, hands them to the engine, and lets the caller wait for the end. */
@Injectable()
export class RunSubmission {
  private readonly logger = new Logger(RunSubmission.name);

  constructor(
    private readonly gate: RedisGate,
    private readonly store: RunStore,
    private readonly engine: Engine,
    private readonly executor: RunExecutor,
    private readonly agents: AgentsService,
    private readonly dueLoop: DueLoop,
    private readonly waiters: RunWaiters,
    private readonly cancellation: RunCancellation,
  ) {}

  /**
   * @throws CommandError RATE_LIMITED (too many open runs), UNAVAILABLE (Redis); with `wait` also DEADLINE_EXCEEDED, which
   * does not end the run, and the error of a run that failed
   */
  async submit(
    submission: Omit<NewRun, 'runId'>,
    wait: boolean,
    context: CommandContext,
  ): Promise<CommandReply<'job.submit'>> {
    const run = newRunOf(submission, randomUUID());
    const { runId, deduplicated } = await this.make(run, context.deadlineAt);
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

  /**
   * Keeps places of this replica for runs that are about to be made, and says where each that gets one may begin as it is made.
   * Whoever asks hands the runs over with `places`, or closes them.
   * @param runs with where they may begin, if that was asked before
   */
  async prepare(
    runs: readonly (RunToMake & { begin?: FirstDispatch })[],
  ): Promise<{ places: PlaceReservation; dispatches: (FirstDispatch | undefined)[] }> {
    const places = this.engine.reserve(runs.length);
    if (places.count === 0) return { places, dispatches: [] };
    const first = runs.slice(0, places.count);
    const dispatches = await Promise.all(first.map((run) => run.begin ?? this.executor.firstDispatch(run)));
    return { places, dispatches };
  }

  /**
   * Where a run may begin that is to be made within the next second, by the agents known now. Who has no place by then is
   * refused when it is made.
   * @returns undefined when nobody can be named, or so many that it is not worth remembering them
   */
  async routeAhead(run: RunToMake): Promise<FirstDispatch | undefined> {
    const dispatch = await this.executor.firstDispatch(run);
    return dispatch !== undefined && dispatch.query.candidates.length <= 2 * MAX_CANDIDATES_AHEAD
      ? dispatch
      : undefined;
  }

  /** Runs of these namespaces are about to be made: {@link prepare} will want to know their agents. */
  lookAhead(namespaces: Iterable<string>): void {
    for (const namespace of namespaces) this.agents.lookAhead(namespace);
  }

  private async make(run: NewRun, deadlineAt: number): Promise<Pick<SubmittedRun, 'runId' | 'deduplicated'>> {
    const { namespace, spec } = run;
    const failedAgentIds = run.failedAgentId === undefined ? [] : [run.failedAgentId];
    const isDue = run.delayMs === undefined && run.at === undefined;
    const { runId: id, scheduleId } = run;
    const { places, dispatches } = await this.prepare(
      isDue ? [{ namespace, runId: id, scheduleId, spec, failedAgentIds }] : [],
    );
    try {
      const submitted = await this.store.submit(run, dispatches[0], deadlineAt);
      const { runId, deduplicated, dueAt, buffered, cancelled, record } = submitted;
      if (cancelled.length > 0) {
        await this.gate.run(deadlineAt, (redis) => this.cancellation.follow(redis, namespace, cancelled, OVERLAPPED));
      }
      if (dueAt !== undefined) this.dueLoop.wakeWithin(0);
      else if (!deduplicated && !buffered) {
        await this.handOver(
          [{ namespace, runId, enqueues: 1, priority: spec.priority, record, begunAt: submitted.place }],
          deadlineAt,
          places,
        );
      }
      return submitted;
    } finally {
      places.close();
    }
  }

  /** Lets runs that are written down begin, here or elsewhere. What fails here is not lost: the due index brings it back. */
  async handOver(runs: readonly HandedRun[], deadlineAt: number, places?: PlaceReservation): Promise<void> {
    const others = this.engine.begin(runs, places);
    if (others.length === 0) return;
    try {
      await this.gate.run(deadlineAt, () => this.engine.add(others));
    } catch (error) {
      this.logger.warn(`${others.length} runs will be handed over again: ${(error as Error).message}`);
    }
  }
}

/** Field by field, which costs a fraction of spreading it. */
function newRunOf(submission: Omit<NewRun, 'runId'>, runId: string): NewRun {
  return {
    namespace: submission.namespace,
    runId,
    scheduleId: submission.scheduleId,
    spec: submission.spec,
    delayMs: submission.delayMs,
    at: submission.at,
    overlap: submission.overlap,
    retryOf: submission.retryOf,
    failedAgentId: submission.failedAgentId,
    idempotencyScope: submission.idempotencyScope,
    idempotencyKey: submission.idempotencyKey,
  };
}
