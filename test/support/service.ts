import type { CommandName } from '../../src/contract/commands.js';
import { commands } from '../../src/contract/commands.js';
import { CommanderClient } from '../../src/sdk/commander-client.js';
import type { CommanderClientOptions } from '../../src/sdk/commander-client.options.js';
import { BuiltApp } from './built-app.js';
import { TcpAgent, type TcpAgentOptions } from './fake-agent.js';
import { RedisServer, type RedisServerOptions } from './redis-server.js';

/** A real Redis, real commander processes, real agents and clients over real sockets; `stop()` ends all of them. */
export class Service {
  readonly replicas: BuiltApp[] = [];
  readonly agents: TcpAgent[] = [];
  private readonly clients: CommanderClient[] = [];

  private constructor(
    readonly redis: RedisServer,
    private readonly env: Record<string, string>,
  ) {}

  /** @param env settings of every replica */
  static async start(
    env: Record<string, string> = {},
    { replicas = 1, redis = {} as RedisServerOptions } = {},
  ): Promise<Service> {
    const service = new Service(await RedisServer.start(redis), { LOG_LEVEL: 'debug', ...env });
    try {
      await Promise.all(Array.from({ length: replicas }, () => service.addReplica()));
      return service;
    } catch (error) {
      await service.stop();
      throw error;
    }
  }

  async addReplica(env: Record<string, string> = {}): Promise<BuiltApp> {
    const replica = await BuiltApp.start({ redisUrl: this.redis.url, env: { ...this.env, ...env } });
    this.replicas.push(replica);
    return replica;
  }

  /** A client of the first replica, or of another one. */
  client(options: Partial<CommanderClientOptions> = {}, replica: BuiltApp = this.replicas[0]): CommanderClient {
    const client = new CommanderClient({ port: replica.tcpPort, requestTimeoutMs: 15_000, ...options });
    this.clients.push(client);
    return client;
  }

  /** An agent that has joined the first replica, or another one. */
  async agent(
    options: TcpAgentOptions = {},
    replica: BuiltApp = this.replicas[0],
    namespace?: string,
  ): Promise<TcpAgent> {
    const agent = await TcpAgent.start(options);
    this.agents.push(agent);
    await agent.join({ port: replica.tcpPort, namespace });
    return agent;
  }

  async stop(): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent.leave({ deregister: false })));
    await Promise.all(this.clients.map((client) => client.close()));
    await Promise.all(this.replicas.map((replica) => replica.stop()));
    await Promise.all(this.agents.map((agent) => agent.stop()));
    await this.redis.stop();
  }
}

/** Fails unless a reply is what the contract says, and nothing more. */
export function expectReply<Name extends CommandName>(name: Name, reply: unknown): void {
  const parsed = commands[name].reply.safeParse(reply);
  if (!parsed.success) throw new Error(`${name}: ${parsed.error.message}\n${JSON.stringify(reply)}`);
}
