import { Logger } from '@nestjs/common';
import type { AgentExecuteRequest } from '../contract/agent.schema.js';
import { CommandError, type WireError } from '../contract/command-error.js';
import type { JobContext } from './job-context.js';
import { JobFailure } from './job-failure.js';
import type { JobHandlers } from './job-handlers.js';
import { RecentEntries } from './recent-entries.js';

const MAX_TIMER_MS = 2 ** 31 - 1;
const MAX_MESSAGE_CHARS = 1_000;
/** How long handlers may react to the signal after a drain ran out of time. */
const ABORT_GRACE_MS = 500;

/** Bounds of a {@link JobRunner}. */
export interface JobRunnerLimits {
  /** Executions at once, those included whose handler goes on although nobody waits any more. */
  capacity: number;
  /** Longest result, as JSON. */
  maxResultBytes: number;
}

/** A failure as it goes into the `err` of a packet. */
export class ExecutionError extends Error {
  constructor(readonly wire: WireError) {
    super(wire.message);
  }
}

/**
 * Runs handlers: within capacity, until the deadline, abortable, each run once at a time.
 *
 * A run that arrives again (commander crashed and dispatches it anew, under a higher epoch) joins its execution if that
 * still goes on, and gets the known result if it succeeded lately; a lower epoch than the highest seen is refused.
 */
export class JobRunner {
  private readonly logger = new Logger('CommanderAgent');
  /** All handlers under way. */
  private readonly executions = new Set<Execution>();
  /** Those that a repeat may join. */
  private readonly joinable = new Map<string, Execution>();
  private readonly highestEpochs = new RecentEntries<number>({ maxCount: 10_000, maxAgeMs: 3_600_000 });
  private readonly results = new RecentEntries<string>({ maxCount: 1_000, maxAgeMs: 600_000, maxWeight: 16_777_216 });
  private readonly idleWaiters = new Set<() => void>();
  private isDraining = false;

  constructor(
    private readonly handlers: JobHandlers,
    private readonly limits: JobRunnerLimits,
  ) {}

  /** Handlers under way. */
  get inFlightCount(): number {
    return this.executions.size;
  }

  /**
   * Executes one dispatch, or joins it to what is known of its run.
   * @returns the result as JSON
   * @throws ExecutionError · CommandError RATE_LIMITED at capacity, SHUTTING_DOWN while draining, NOT_FOUND without a
   *   handler, VERSION_CONFLICT for an outdated epoch
   */
  async execute(request: AgentExecuteRequest): Promise<string> {
    const { runId, epoch } = request;
    const part = request.shard === undefined ? runId : `${runId}#${request.shard.index}`;
    const highest = this.highestEpochs.get(part) ?? 0;
    if (epoch < highest) {
      throw new CommandError('VERSION_CONFLICT', `run ${runId} was dispatched under epoch ${highest} already`, {
        epoch: highest,
      });
    }
    this.highestEpochs.set(part, epoch);

    const identity = JSON.stringify([part, request.idempotencyKey]);
    const known = this.results.get(identity);
    if (known !== undefined) return known;
    const underWay = this.joinable.get(identity);
    if (underWay) return underWay.join(request);

    if (this.isDraining) throw new CommandError('SHUTTING_DOWN', 'this agent takes no new run');
    const handler = this.handlers.get(request.job.name);
    if (!handler) throw new CommandError('NOT_FOUND', `this agent has no handler for job ${request.job.name}`);
    const { capacity } = this.limits;
    if (this.executions.size >= capacity) {
      throw new CommandError('RATE_LIMITED', `this agent executes ${capacity} runs already`, { capacity });
    }

    const execution = new Execution(request);
    this.executions.add(execution);
    this.joinable.set(identity, execution);
    const leave = () => {
      if (this.joinable.get(identity) === execution) this.joinable.delete(identity);
    };
    // An aborted execution is nothing to join: its answer is an error, whatever its handler still does.
    execution.signal.addEventListener('abort', leave, { once: true });
    void execution
      .run(async (context) => {
        const json = this.encode(await handler(request.job.payload, context));
        // Known before the answer leaves: the repeat may already be on its way.
        if (!execution.signal.aborted) this.results.set(identity, json, json.length * 2);
        return json;
      })
      .finally(() => {
        leave();
        this.executions.delete(execution);
        if (this.executions.size === 0) for (const wake of this.idleWaiters) wake();
      });
    return execution.outcome.catch((error: unknown) => {
      const wire = wireErrorOf(error, execution.signal.reason);
      this.logger.warn(
        `job ${request.job.name}, run ${runId}, attempt ${request.attempt}: ${wire.code} ${wire.message}`,
      );
      throw new ExecutionError(wire);
    });
  }

  /**
   * Aborts the executions of a run.
   * @param epoch a newer dispatch than this is left alone
   * @returns whether there was one
   */
  cancel(runId: string, reason = 'the run was cancelled', epoch = Number.POSITIVE_INFINITY): boolean {
    let cancelled = false;
    for (const execution of this.executions) {
      if (execution.runId !== runId || execution.epoch > epoch || execution.signal.aborted) continue;
      execution.abort(new CommandError('CANCELLED', reason));
      cancelled = true;
    }
    return cancelled;
  }

  /** From now on no new execution; repeats of those under way still join. */
  refuseNew(): void {
    this.isDraining = true;
  }

  /** Waits for what is under way; after `timeoutMs` aborts the rest (they are answered SHUTTING_DOWN) and gives it a moment. */
  async drain(timeoutMs: number): Promise<void> {
    this.refuseNew();
    if (await this.idle(timeoutMs)) return;
    this.logger.warn(`${this.executions.size} runs did not end within ${timeoutMs} ms: aborting them`);
    for (const execution of this.executions) {
      execution.abort(new CommandError('SHUTTING_DOWN', 'the agent stopped before the run ended'));
    }
    await this.idle(ABORT_GRACE_MS);
  }

  private async idle(timeoutMs: number): Promise<boolean> {
    if (this.executions.size === 0) return true;
    return new Promise<boolean>((resolve) => {
      const settle = (isIdle: boolean): void => {
        clearTimeout(timer);
        this.idleWaiters.delete(wake);
        resolve(isIdle);
      };
      const wake = () => settle(true);
      const timer = setTimeout(() => settle(false), timeoutMs);
      this.idleWaiters.add(wake);
    });
  }

  private encode(result: unknown): string {
    let json: string | undefined;
    try {
      json = JSON.stringify(result ?? null);
    } catch (error) {
      throw new JobFailure(`the result is no JSON: ${(error as Error).message}`, { retryable: false });
    }
    if (json === undefined) throw new JobFailure(`the result is no JSON but a ${typeof result}`, { retryable: false });
    const bytes = Buffer.byteLength(json);
    const { maxResultBytes } = this.limits;
    if (bytes <= maxResultBytes) return json;
    throw new JobFailure(`the result has ${bytes} bytes, more than ${maxResultBytes}`, { retryable: false });
  }
}

/** One handler under way. */
class Execution {
  readonly runId: string;
  /** The highest epoch under which it was dispatched. */
  epoch: number;
  /** Settles when there is an answer: with the handler, or before it on abort. */
  readonly outcome: Promise<string>;
  private readonly controller = new AbortController();
  private deadlineAt: number;
  private timer: NodeJS.Timeout | undefined;
  private resolve!: (result: string) => void;
  private reject!: (error: unknown) => void;

  constructor(private readonly request: AgentExecuteRequest) {
    this.runId = request.runId;
    this.epoch = request.epoch;
    this.deadlineAt = Date.now() + request.deadlineMs;
    this.outcome = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.armDeadline();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Waits for the answer on behalf of a newer dispatch, whose deadline then counts too. */
  join({ epoch, deadlineMs }: AgentExecuteRequest): Promise<string> {
    this.epoch = Math.max(this.epoch, epoch);
    this.deadlineAt = Math.max(this.deadlineAt, Date.now() + deadlineMs);
    this.armDeadline();
    return this.outcome.catch((error: unknown) => {
      throw new ExecutionError(wireErrorOf(error, this.signal.reason));
    });
  }

  abort(reason: CommandError): void {
    if (this.signal.aborted) return;
    clearTimeout(this.timer);
    this.reject(reason);
    this.controller.abort(reason);
  }

  /** Calls the handler; resolves when it has ended, which may be long after the answer. */
  async run(handle: (context: JobContext) => Promise<string>): Promise<void> {
    try {
      this.resolve(await handle(this.context()));
    } catch (error) {
      this.reject(error);
    } finally {
      clearTimeout(this.timer);
    }
  }

  private armDeadline(): void {
    clearTimeout(this.timer);
    const leftMs = this.deadlineAt - Date.now();
    // Deadlines may lie beyond what a timer holds.
    this.timer = setTimeout(
      () => {
        if (this.deadlineAt > Date.now()) this.armDeadline();
        else this.abort(new CommandError('DEADLINE_EXCEEDED', 'the handler did not end in time'));
      },
      Math.min(Math.max(1, leftMs), MAX_TIMER_MS),
    );
  }

  private context(): JobContext {
    const { runId, job, attempt, epoch, idempotencyKey, scheduleId, tickAt, shard } = this.request;
    const deadline = () => this.deadlineAt;
    return {
      ...{ runId, jobName: job.name, attempt, epoch, idempotencyKey, scheduleId, tickAt, shard },
      headers: job.headers ?? {},
      signal: this.signal,
      get deadlineAt() {
        return deadline();
      },
    };
  }
}

/**
 * `details.kind` 'job' tells commander that the agent works and the job failed; `details.retryable` whether another
 * attempt makes sense.
 * @param abortReason why the execution was aborted, if it was
 */
function wireErrorOf(error: unknown, abortReason: unknown): WireError {
  // Ours: the run has to go to another agent. A handler may throw the same code, of a service that it called: then its job has failed.
  if (error instanceof CommandError && error.code === 'SHUTTING_DOWN' && error === abortReason) return error.toWire();
  if (error instanceof CommandError) {
    return {
      ...error.toWire(),
      message: error.message.slice(0, MAX_MESSAGE_CHARS),
      details: { ...error.details, kind: 'job', retryable: error.retryable },
    };
  }
  const retryable = error instanceof JobFailure ? error.retryable : true;
  const text = error instanceof Error ? error.message || error.name : String(error);
  return {
    code: 'INTERNAL',
    message: text.slice(0, MAX_MESSAGE_CHARS),
    retryable,
    details: { kind: 'job', retryable },
  };
}
