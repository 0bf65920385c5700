import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import { RedisGate } from '../redis/redis-gate.js';
import { Command } from '../transport/command.decorator.js';
import { CommandContext } from '../transport/command-context.js';
import { ResultStore } from './result-store.js';

/** `result.*`. */
@Controller()
export class ResultsController {
  constructor(
    private readonly gate: RedisGate,
    private readonly results: ResultStore,
  ) {}

  @Command('result.get')
  get(
    @Payload() request: CommandRequest<'result.get'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'result.get'>> {
    return this.gate.run(context.deadlineAt, (redis) => this.results.get(redis, request));
  }

  @Command('result.list')
  list(
    @Payload() request: CommandRequest<'result.list'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'result.list'>> {
    return this.gate.run(context.deadlineAt, (redis) => this.results.list(redis, request));
  }
}
