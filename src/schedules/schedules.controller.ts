import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { CommandError } from '../contract/command-error.js';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import type { ScheduleView } from '../contract/schedule.schema.js';
import type { RedisClient } from '../redis/redis-client.js';
import { DueLoop } from '../runs/due-loop.js';
import { RedisGate } from '../redis/redis-gate.js';
import { RunCancellation } from '../runs/run-cancellation.js';
import { RunSubmission } from '../runs/run-submission.js';
import { Command } from '../transport/command.decorator.js';
import { CommandContext } from '../transport/command-context.js';
import { runSpecOf } from './run-spec.js';
import { ScheduleDeclaration } from './schedule-declaration.js';
import { ScheduleExplanation } from './schedule-explanation.js';
import { ScheduleSync } from './schedule-sync.js';
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
    private readonly synchronisation: ScheduleSync,
    private readonly explanation: ScheduleExplanation,
    private readonly dueLoop: DueLoop,
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

  @Command('schedule.pause')
  async pause(
    @Payload() { namespace, id, reason }: CommandRequest<'schedule.pause'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'schedule.pause'>> {
    return this.gate.run(context.deadlineAt, async (redis) => {
      await this.assertReadable(redis, namespace, id);
      if (!(await this.store.pause(redis, namespace, id, reason))) throw noSchedule(id);
      return this.viewOf(redis, namespace, id);
    });
  }

  @Command('schedule.resume')
  async resume(
    @Payload() { namespace, id, catchUp }: CommandRequest<'schedule.resume'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'schedule.resume'>> {
    return this.gate.run(context.deadlineAt, async (redis) => {
      await this.assertReadable(redis, namespace, id);
      const { found, dueAt } = await this.store.resume(redis, namespace, id, catchUp);
      if (!found) throw noSchedule(id);
      if (dueAt !== undefined) this.dueLoop.wakeWithin(0);
      return this.viewOf(redis, namespace, id);
    });
  }

  @Command('schedule.sync')
  async sync(
    @Payload() request: CommandRequest<'schedule.sync'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'schedule.sync'>> {
    return this.gate.run(context.deadlineAt, (redis) => this.synchronisation.sync(redis, request));
  }

  @Command('schedule.explain')
  async explain(
    @Payload() { namespace, id, at }: CommandRequest<'schedule.explain'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'schedule.explain'>> {
    return this.gate.run(context.deadlineAt, (redis) => this.explanation.explain(redis, namespace, id, at));
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
        overlap: record.spec.overlap,
        idempotencyScope: `trigger:${id}`,
        idempotencyKey,
      },
      wait,
      context,
    );
  }

  /** What is refused changes nothing. @throws BrokenRecordError */
  private async assertReadable(redis: RedisClient, namespace: string, id: string): Promise<void> {
    await this.store.read(redis, namespace, id);
  }

  private async viewOf(redis: RedisClient, namespace: string, id: string): Promise<ScheduleView> {
    const view = await this.views.get(redis, namespace, id);
    if (view === undefined) throw noSchedule(id);
    return view;
  }
}

function noSchedule(id: string): CommandError {
  return new CommandError('NOT_FOUND', `no schedule ${id}`);
}
