import { getHeapStatistics } from 'node:v8';
import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { AgentsService } from '../agents/agents.service.js';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import { memoryUsage } from '../ledger/process/memory-usage.js';
import { InFlight } from '../lifecycle/in-flight.js';
import { RedisGate } from '../redis/redis-gate.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { DispatchStats } from '../runs/dispatch-stats.js';
import { Engine } from '../runs/engine.js';
import { Replicas } from '../runs/replicas.js';
import { Lateness } from '../schedules/lateness.js';
import { Command } from '../transport/command.decorator.js';
import { CommandContext } from '../transport/command-context.js';
import { CommanderServer } from '../transport/commander-server.js';

/** `system.stats`: what this replica does, in numbers. */
@Controller()
export class SystemStatsController {
  constructor(
    private readonly gate: RedisGate,
    private readonly keys: RedisKeys,
    private readonly server: CommanderServer,
    private readonly inFlight: InFlight,
    private readonly agents: AgentsService,
    private readonly engine: Engine,
    private readonly dispatch: DispatchStats,
    private readonly replicas: Replicas,
    private readonly lateness: Lateness,
  ) {}

  @Command('system.stats')
  async stats(
    @Payload() _request: CommandRequest<'system.stats'>,
    @Ctx() context: CommandContext,
  ): Promise<CommandReply<'system.stats'>> {
    const [queue, dueCount] = await this.gate.run(context.deadlineAt, (redis) =>
      Promise.all([this.engine.counts(), redis.zcard(this.keys.key('due'))]),
    );
    const { tcpCount, tcpMaxCount } = this.server.stats();
    const { totalCount, failedCount, perSecond, repairsCount, takeoversCount } = this.dispatch.read();
    const memory = memoryUsage();
    return {
      uptimeMs: Math.round(process.uptime() * 1_000),
      connections: { tcpCount, tcpMaxCount, agentCount: this.agents.stats().connectionCount },
      inFlightCommands: this.inFlight.count('command'),
      memory: {
        rssBytes: memory.rss,
        heapUsedBytes: memory.heapUsed,
        heapLimitBytes: getHeapStatistics().heap_size_limit,
        externalBytes: memory.external,
      },
      queue: { ...queue, dueCount, waitingHereCount: this.engine.waitingHereCount },
      replicaCount: this.replicas.count ?? 0,
      lateness: this.lateness.read(),
      dispatch: { totalCount, perSecond, failedCount },
      repairs: { totalCount: repairsCount, takeoversCount },
    };
  }
}
