import type { ConnectionOptions } from 'node:tls';
import { Controller, Inject, Injectable, type INestApplication, Module } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { from } from 'rxjs';
import { ConfigModule } from '../../src/config/config.module.js';
import { readSettings, type Settings } from '../../src/config/settings.js';
import { CommandError } from '../../src/contract/command-error.js';
import type { CommandRequest } from '../../src/contract/commands.js';
import { LifecycleModule } from '../../src/lifecycle/lifecycle.module.js';
import { CommandContext } from '../../src/transport/command-context.js';
import { Command } from '../../src/transport/command.decorator.js';
import { CommanderServer } from '../../src/transport/commander-server.js';
import { TransportModule } from '../../src/transport/transport.module.js';
import { TcpPeer } from '../support/tcp-peer.js';

/** What the handlers of the test app saw, and the gates that hold some of them. */
@Injectable()
export class Witness {
  readonly calls: { pattern: string; request: Record<string, unknown> }[] = [];
  readonly contexts: CommandContext[] = [];
  private readonly waiting: (() => void)[] = [];

  saw(pattern: string, request: object): void {
    this.calls.push({ pattern, request: request as Record<string, unknown> });
  }

  /** Resolves at the next `release()`. */
  held(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  release(): void {
    for (const wake of this.waiting.splice(0)) wake();
  }
}

/** Handlers on real patterns of the contract, each with one behaviour that a test needs. */
@Controller()
class CommandsController {
  constructor(@Inject(Witness) private readonly witness: Witness) {}

  /** Answers at once. */
  @Command('system.health')
  health(request: CommandRequest<'system.health'>): object {
    this.witness.saw('system.health', request);
    return { status: 'ok', checks: {} };
  }

  /** Answers what it received, from decorated parameters. */
  @Command('agent.list')
  async list(@Payload() request: CommandRequest<'agent.list'>, @Ctx() context: CommandContext): Promise<object> {
    this.witness.saw('agent.list', request);
    await Promise.resolve();
    return { request, deadlineAt: context.deadlineAt, requestId: context.requestId, pattern: context.getPattern() };
  }

  /** Throws what its id names. */
  @Command('schedule.get')
  async get(request: CommandRequest<'schedule.get'>): Promise<unknown> {
    this.witness.saw('schedule.get', request);
    await Promise.resolve();
    if (request.id === 'nothing') return undefined;
    if (request.id === 'cyclic') {
      const value: { self?: object } = {};
      value.self = value;
      return value;
    }
    if (request.id === 'stream') return from([1, 2, 3]);
    if (request.id === 'defect') throw new Error('secret-of-the-stack');
    throw new CommandError('NOT_FOUND', `no schedule ${request.id}`, { id: request.id });
  }

  /** Answers when the test lets it, whatever its signal says. */
  @Command('agent.drain')
  async drain(request: CommandRequest<'agent.drain'>, context: CommandContext): Promise<object> {
    this.witness.saw('agent.drain', request);
    this.witness.contexts.push(context);
    await this.witness.held();
    return { agentId: request.agentId };
  }

  /** Gives up when its signal fires, with details of its own. */
  @Command('agent.undrain')
  async undrain(request: CommandRequest<'agent.undrain'>, context: CommandContext): Promise<object> {
    this.witness.saw('agent.undrain', request);
    this.witness.contexts.push(context);
    await new Promise<void>((resolve) => {
      if (context.signal.aborted) return resolve();
      context.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    throw new CommandError('DEADLINE_EXCEEDED', 'given up', { agentId: request.agentId });
  }

  /** A long reply to a short request, as a run's result is: as many KiB as the id says. */
  @Command('schedule.trigger')
  trigger(request: CommandRequest<'schedule.trigger'>): object {
    return { runId: 'run', deduplicated: false, result: 'x'.repeat(Number(request.id) * 1024) };
  }

  /** Knows every agent. */
  @Command('agent.heartbeat')
  heartbeat(request: CommandRequest<'agent.heartbeat'>): object {
    this.witness.saw('agent.heartbeat', request);
    return { leaseMs: 1_000, cancelRunIds: [], drain: false, unknown: false };
  }

  /** Returns the payload of the job. */
  @Command('job.submit')
  submit(request: CommandRequest<'job.submit'>): object {
    this.witness.saw('job.submit', request);
    return { payload: request.job.payload };
  }

  /** A long reply: `limit` KiB. */
  @Command('result.list')
  results(request: CommandRequest<'result.list'>): object {
    this.witness.saw('result.list', request);
    return { text: 'x'.repeat(request.limit * 1024) };
  }

  /** Not in the contract: must not be reachable. */
  @MessagePattern('stranger.danger')
  stranger(): object {
    this.witness.saw('stranger.danger', {});
    return {};
  }
}

/** A small hybrid app around the real transport. */
export class CommandApp {
  private readonly peers: TcpPeer[] = [];

  private constructor(
    readonly app: INestApplication,
    readonly server: CommanderServer,
    readonly witness: Witness,
  ) {}

  /** Made, not listening. */
  static async create(overrides: Partial<Settings> = {}): Promise<CommandApp> {
    const settings: Settings = { ...readSettings({}), tcpPort: 0, httpPort: 0, ...overrides };
    @Module({
      imports: [ConfigModule.forRoot(settings), LifecycleModule, TransportModule],
      controllers: [CommandsController],
      providers: [Witness],
    })
    class AppModule {}
    const moduleRef = await Test.createTestingModule({ imports: [AppModule] }).compile();
    const app = moduleRef.createNestApplication({ logger: false });
    const server = app.get(CommanderServer);
    app.connectMicroservice({ strategy: server });
    return new CommandApp(app, server, app.get(Witness));
  }

  /** Made and serving. */
  static async start(overrides: Partial<Settings> = {}): Promise<CommandApp> {
    const commandApp = await CommandApp.create(overrides);
    await commandApp.app.init();
    await commandApp.app.startAllMicroservices();
    return commandApp;
  }

  async peer(tls?: ConnectionOptions): Promise<TcpPeer> {
    const peer = await TcpPeer.connect(this.server.address(), tls);
    this.peers.push(peer);
    return peer;
  }

  async close(): Promise<void> {
    this.witness.release();
    for (const peer of this.peers) await peer.close();
    await this.app.close();
  }
}
