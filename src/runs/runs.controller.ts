import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { CommandError } from '../contract/command-error.js';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import { isFinalRunState } from '../contract/run.schema.js';
import { RedisGate } from '../redis/redis-gate.js';
import { Command } from '../transport/command.decorator.js';
import { CommandContext } from '../transport/command-context.js';
import { RunCancellation } from './run-cancellation.js';
import { RunHistory } from './run-history.js';
import { runView } from './run.record.js';
import { RunStore } from './run-store.js';
import { RunSubmission } from './run-submission.js';

/** `job.submit` and `run.*`. */
@Controller()
export class RunsController {
  constructor(
    private readonly gate: RedisGate,
    private readonly submission: RunSubmission,
    private readonly store: RunStore,
    private readonly history: RunHistory,
    private readonly cancellation: RunCancellation,
  ) {}

  @Command('job.submit')
  submit(
    @Payload() request: CommandRequest<'job.submit'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'job.submit'>> {
    const { job, route, retry, timeoutMs, priority, resultKey } = request;
    return this.submission.submit(
      {
        namespace: request.namespace,
        spec: { job, route, retry, timeoutMs, priority, resultKey },
        delayMs: request.delayMs,
        at: request.at,
        idempotencyScope: 'submit',
        idempotencyKey: request.idempotencyKey,
      },
      request.wait,
      context,
    );
  }

  @Command('run.get')
  async get(
    @Payload() request: CommandRequest<'run.get'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'run.get'>> {
    const run = await this.gate.run(context.deadlineAt, (redis) =>
      this.store.load(redis, request.namespace, request.runId),
    );
    if (run === undefined) throw new CommandError('NOT_FOUND', `no run ${request.runId}`);
    return runView(run);
  }

  @Command('run.list')
  list(
    @Payload() request: CommandRequest<'run.list'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'run.list'>> {
    return this.gate.run(context.deadlineAt, (redis) => this.history.list(redis, request));
  }

  @Command('run.cancel')
  cancel(
    @Payload() request: CommandRequest<'run.cancel'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'run.cancel'>> {
    return this.gate.run(context.deadlineAt, (redis) =>
      this.cancellation.cancel(redis, request.namespace, request.runId, request.reason),
    );
  }

  /** Repeats a run that has ended, as a new one. Repeating the command answers with the same new run. */
  @Command('run.retry')
  async retry(
    @Payload() request: CommandRequest<'run.retry'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'run.retry'>> {
    const { namespace, runId } = request;
    const run = await this.gate.run(context.deadlineAt, (redis) => this.store.load(redis, namespace, runId));
    if (run === undefined) throw new CommandError('NOT_FOUND', `no run ${runId}`);
    if (!isFinalRunState(run.state)) {
      throw new CommandError(
        'INVALID_ARGUMENT',
        `run ${runId} is ${run.state}; only a run that has ended can be retried`,
      );
    }
    const retried = await this.submission.submit(
      {
        namespace,
        scheduleId: run.scheduleId,
        spec: { ...run.spec, idempotencyKey: undefined },
        retryOf: runId,
        failedAgentId: request.onOtherAgent ? run.agentId : undefined,
        idempotencyScope: 'retry',
        idempotencyKey: runId,
      },
      false,
      context,
    );
    return { runId: retried.runId };
  }
}
