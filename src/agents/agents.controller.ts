import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import { CommandContext } from '../transport/command-context.js';
import { Command } from '../transport/command.decorator.js';
import { AgentConnectionPool } from './agent-connection-pool.js';
import { AgentDirectory } from './agent-directory.js';
import { AgentListing, noSuchAgent } from './agent-listing.js';
import { AgentRecords } from './agent-records.js';

/** `agent.*` as agents and people call it. */
@Controller()
export class AgentsController {
  constructor(
    private readonly records: AgentRecords,
    private readonly listing: AgentListing,
    private readonly directory: AgentDirectory,
    private readonly pool: AgentConnectionPool,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Command('agent.register')
  async register(
    @Payload() request: CommandRequest<'agent.register'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'agent.register'>> {
    const serverTime = await this.records.register(request, context.deadlineAt);
    this.directory.invalidate(request.namespace);
    return {
      leaseMs: this.settings.agentLeaseMs,
      heartbeatEveryMs: this.settings.agentHeartbeatEveryMs,
      serverTime,
    };
  }

  @Command('agent.heartbeat')
  async heartbeat(
    @Payload() request: CommandRequest<'agent.heartbeat'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'agent.heartbeat'>> {
    const { agentLeaseMs: leaseMs } = this.settings;
    const answer = await this.records.heartbeat(request, context.deadlineAt);
    if (answer.unknown) return { leaseMs, cancelRunIds: [], drain: false, unknown: true };
    return { leaseMs, ...answer };
  }

  @Command('agent.deregister')
  async deregister(
    @Payload() request: CommandRequest<'agent.deregister'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'agent.deregister'>> {
    const removed = await this.records.deregister(request, context.deadlineAt);
    if (removed) {
      this.directory.invalidate(request.namespace);
      this.pool.drop(request.namespace, request.agentId);
    }
    return { removed };
  }

  @Command('agent.drain')
  drain(
    @Payload() request: CommandRequest<'agent.drain'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'agent.drain'>> {
    return this.setDraining(request, true, context.deadlineAt);
  }

  @Command('agent.undrain')
  undrain(
    @Payload() request: CommandRequest<'agent.undrain'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'agent.undrain'>> {
    return this.setDraining(request, false, context.deadlineAt);
  }

  @Command('agent.list')
  list(
    @Payload() request: CommandRequest<'agent.list'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'agent.list'>> {
    return this.listing.page(request, context.deadlineAt);
  }

  private async setDraining(
    { namespace, agentId }: { namespace: string; agentId: string },
    isDraining: boolean,
    deadlineAt: number,
  ): Promise<CommandReply<'agent.drain'>> {
    // What is refused changes nothing.
    await this.listing.one(namespace, agentId, deadlineAt);
    if (!(await this.records.setDraining(namespace, agentId, isDraining, deadlineAt))) {
      throw noSuchAgent(namespace, agentId);
    }
    this.directory.invalidate(namespace);
    return this.listing.one(namespace, agentId, deadlineAt);
  }
}
