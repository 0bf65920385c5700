import { Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { AgentConnectionPool } from '../../src/agents/agent-connection-pool.js';
import { AgentConnectionSweep } from '../../src/agents/agent-connection-sweep.js';
import { AgentDirectory } from '../../src/agents/agent-directory.js';
import { AgentRecords } from '../../src/agents/agent-records.js';
import { AgentsController } from '../../src/agents/agents.controller.js';
import { AgentsModule } from '../../src/agents/agents.module.js';
import { type AcquireRequest, AgentsService } from '../../src/agents/agents.service.js';
import { ConfigModule } from '../../src/config/config.module.js';
import { readSettings } from '../../src/config/settings.js';
import type { AgentExecuteRequest } from '../../src/contract/agent.schema.js';
import { agentCommands } from '../../src/contract/agent.schema.js';
import type { CommandInput, CommandReply } from '../../src/contract/commands.js';
import { routeSchema } from '../../src/contract/job.schema.js';
import { LifecycleModule } from '../../src/lifecycle/lifecycle.module.js';
import { RedisModule } from '../../src/redis/redis.module.js';
import type { CommandContext } from '../../src/transport/command-context.js';

type AgentCommand = keyof typeof agentCommands;

/** The agents part of one commander process, on a real Redis. */
export class Replica {
  private constructor(private readonly module: TestingModule) {}

  static async start(redisUrl: string, environment: Record<string, string> = {}): Promise<Replica> {
    const settings = readSettings({ REDIS_URL: redisUrl, ...environment });

    @Module({ imports: [ConfigModule.forRoot(settings), LifecycleModule, RedisModule, AgentsModule] })
    class ReplicaModule {}

    const module = await Test.createTestingModule({ imports: [ReplicaModule] }).compile();
    module.useLogger(false);
    await module.init();
    return new Replica(module);
  }

  get agents(): AgentsService {
    return this.module.get(AgentsService, { strict: false });
  }

  get pool(): AgentConnectionPool {
    return this.module.get(AgentConnectionPool, { strict: false });
  }

  get sweep(): AgentConnectionSweep {
    return this.module.get(AgentConnectionSweep, { strict: false });
  }

  get directory(): AgentDirectory {
    return this.module.get(AgentDirectory, { strict: false });
  }

  get records(): AgentRecords {
    return this.module.get(AgentRecords, { strict: false });
  }

  /** Serves a command as the transport would: the request and the reply go through their schemas. */
  async command<Name extends AgentCommand>(
    name: Name,
    request: CommandInput<Name>,
    deadlineMs = 5_000,
  ): Promise<CommandReply<Name>> {
    const controller = this.module.get(AgentsController, { strict: false });
    const method = name.slice('agent.'.length) as 'list';
    const parsed = agentCommands[name].request.parse(request) as never;
    const context = { deadlineAt: Date.now() + deadlineMs } as CommandContext;
    const reply = await controller[method](parsed, context);
    return agentCommands[name].reply.parse(reply) as CommandReply<Name>;
  }

  close(): Promise<void> {
    return this.module.close();
  }
}

let lastRun = 0;

/** A request for a place with everything filled in. */
export function attempt(more: Partial<Omit<AcquireRequest, 'route'>> & { route?: object } = {}): AcquireRequest {
  lastRun += 1;
  return {
    namespace: 'default',
    jobName: 'job',
    runId: `run-${lastRun}`,
    epoch: 1,
    leaseMs: 60_000,
    ...more,
    route: routeSchema.parse(more.route ?? {}),
  };
}

/** The request that belongs to a place. */
export function executeRequest(runId = 'run', more: Partial<AgentExecuteRequest> = {}): AgentExecuteRequest {
  return {
    runId,
    job: { name: 'job', payload: null },
    attempt: 1,
    epoch: 1,
    idempotencyKey: runId,
    deadlineMs: 30_000,
    ...more,
  };
}
