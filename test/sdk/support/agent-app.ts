import 'reflect-metadata';
import { type INestApplicationContext, type LoggerService, Module, type Provider, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommanderAgent, CommanderAgentModule, type CommanderAgentOptions } from '../../../src/sdk/agent.js';
import { RawPeer } from './raw-peer.js';

/** A Nest app with the agent module and some providers, and a socket to its agent side. */
export class AgentApp {
  private readonly peers: RawPeer[] = [];

  private constructor(
    readonly app: INestApplicationContext,
    readonly agent: CommanderAgent,
  ) {}

  /** Without `commander` in the options it looks for one where none is. */
  static async start(
    options: CommanderAgentOptions,
    providers: Provider[],
    logger: LoggerService | false = false,
    controllers: Type[] = [],
  ): Promise<AgentApp> {
    @Module({ imports: [CommanderAgentModule.forRoot({ commander: { port: 1 }, ...options })], providers, controllers })
    class App {}
    const app = await NestFactory.createApplicationContext(App, { logger, abortOnError: false });
    return new AgentApp(app, app.get(CommanderAgent));
  }

  get port(): number {
    return this.agent.address!.port;
  }

  /** A new connection to the agent side, closed by `stop()`. */
  async peer(): Promise<RawPeer> {
    const peer = await RawPeer.connect(this.port);
    this.peers.push(peer);
    return peer;
  }

  async stop(): Promise<void> {
    await this.app.close();
    for (const peer of this.peers) peer.close();
  }
}
