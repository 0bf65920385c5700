import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { CommandError } from '../contract/command-error.js';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import { RedisGate } from '../redis/redis-gate.js';
import { RunCancellation } from '../runs/run-cancellation.js';
import { RunSubmission } from '../runs/run-submission.js';
import { Command } from '../transport/command.decorator.js';
import { CommandContext } from '../transport/command-context.js';
import { runSpecOf } from './run-spec.js';
import { ScheduleDeclaration } from './schedule-declaration.js';
import { ScheduleStore } from './schedule-store.js';
import { ScheduleViews } from './schedule-views.js';

/** `schedule.*`. */
@Controller()
export class SchedulesController {
  constructor(
    private readonly gate: RedisGate,
    private readonly declaration: ScheduleDeclaration,
    private readonly views: ScheduleViews,
    private readonly store: ScheduleStore,
    private readonly submission: RunSubmission,
    private readonly cancellation: RunCancellation,
  ) {}

  @Command('schedule.upsert')
  upsert(
    @Payload() request: CommandRequest<'schedule.upsert'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'schedule.upsert'>> {
    return this.gate.run(context.deadlineAt, (redis) => this.declaration.upsert(redis, request));
  }

  @Command('schedule.get')
  async get(
    @Payload() { namespace, id }: CommandRequest<'schedule.get'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'schedule.get'>> {
    const view = await this.gate.run(context.deadlineAt, (redis) => this.views.get(redis, namespace, id));
    if (view === undefined) throw noSchedule(id);
    return view;
  }

  @Command('schedule.list')
  list(
    @Payload() request: CommandRequest<'schedule.list'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'schedule.list'>> {
    return this.gate.run(context.deadlineAt, (redis) => this.views.list(redis, request));
  }

  @Command('schedule.remove')
  async remove(
    @Payload() { namespace, id, cancelRunning }: CommandRequest<'schedule.remove'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'schedule.remove'>> {
    return this.gate.run(context.deadlineAt, async (redis) => {
      const removed = await this.store.remove(redis, namespace, id);
      if (cancelRunning) await this.cancellation.cancelOfSchedule(redis, namespace, id, 'its schedule was removed');
      return { removed };
    });
  }

  @Command('schedule.trigger')
  async trigger(
    @Payload() request: CommandRequest<'schedule.trigger'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'schedule.trigger'>> {
    const { namespace, id, payload, agentId, idempotencyKey, wait } = request;
    const { record } = await this.gate.run(context.deadlineAt, (redis) => this.store.read(redis, namespace, id));
    if (record === undefined) throw noSchedule(id);
    const spec = runSpecOf(record.spec);
    return this.submission.submit(
      {
        namespace,
        scheduleId: id,
        spec: {
          ...spec,
          job: payload === undefined ? spec.job : { ...spec.job, payload },
          route: agentId === undefined ? spec.route : { ...spec.route, agentIds: [agentId] },
        },
        idempotencyScope: `trigger:${id}`,
        idempotencyKey,
      },
      wait,
      context,
    );
  }
}

function noSchedule(id: string): CommandError {
  return new CommandError('NOT_FOUND', `no schedule ${id}`);
}
