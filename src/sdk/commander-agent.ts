import type { AddressInfo } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { z } from 'zod';
import { agentSideCommands, MAX_CAPABILITIES } from '../contract/agent.schema.js';
import { CommandError } from '../contract/command-error.js';
import type { CommandInput } from '../contract/commands.js';
import { AgentListener, type PatternHandler } from './agent-listener.js';
import { AgentRegistration } from './agent-registration.js';
import {
  COMMANDER_AGENT_OPTIONS,
  type CommanderAgentOptions,
  commanderAgentOptionsSchema,
  type CommanderAgentSettings,
} from './commander-agent.options.js';
import { CommanderClient } from './commander-client.js';
import { readOptions } from './commander-client.options.js';
import { findJobHandlers, type JobHandlers } from './job-handlers.js';
import { JobRunner } from './job-runner.js';
import { isLoopback } from './loopback.js';

type AgentCommandName = keyof typeof agentSideCommands;
type AgentCommandRequest<Name extends AgentCommandName> = z.output<(typeof agentSideCommands)[Name]['request']>;

/** What makes an agent, in the order in which it is opened. */
interface Parts {
  handlers: JobHandlers;
  runner: JobRunner;
  listener: AgentListener;
  address: AddressInfo;
  client: CommanderClient;
  registration: AgentRegistration;
}

/**
 * The agent in an app: listens for commander and stays registered from bootstrap on. On shutdown it takes no new run,
 * lets those under way finish, tells commander that it is gone and closes what it opened, each step within its deadline.
 */
@Injectable()
export class CommanderAgent
  implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown
{
  private readonly settings: CommanderAgentSettings;
  /** Larger for each process of one agent id; commander refuses a smaller one. */
  private instanceEpoch = Date.now();
  private parts: Parts | undefined;
  private isDraining = false;
  private isWarned = false;
  private readonly logger = new Logger('CommanderAgent');

  /** @throws TypeError naming the option that is wrong */
  constructor(
    @Inject(COMMANDER_AGENT_OPTIONS) options: CommanderAgentOptions,
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(MetadataScanner) private readonly scanner: MetadataScanner,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {
    this.settings = readOptions('CommanderAgent options', commanderAgentOptionsSchema, options);
  }

  get agentId(): string {
    return this.settings.agentId;
  }

  /** Handlers under way. */
  get inFlightCount(): number {
    return this.parts?.runner.inFlightCount ?? 0;
  }

  /** Whether commander knew this agent when it last answered. */
  get isRegistered(): boolean {
    return this.parts?.registration.isRegistered ?? false;
  }

  /** Where it listens. Undefined before bootstrap. */
  get address(): { host: string; port: number } | undefined {
    return this.parts && { host: this.parts.address.address, port: this.parts.address.port };
  }

  /** With `listenTls`: new connections of commander get this certificate. Those that are open stay as they are. */
  renewTls(options: SecureContextOptions): void {
    this.parts?.listener.renewTls(options);
  }

  /** @throws Error when two handlers have one name or there are more than commander takes, and the system's error when it cannot listen */
  async onApplicationBootstrap(): Promise<void> {
    const { settings } = this;
    const handlers = findJobHandlers(this.discovery, this.scanner, this.reflector);
    if (handlers.size > MAX_CAPABILITIES) {
      throw new Error(`this agent has ${handlers.size} job handlers; commander takes ${MAX_CAPABILITIES} of one agent`);
    }
    const runner = new JobRunner(handlers, settings);
    const listener = new AgentListener(
      {
        host: settings.listenHost,
        port: settings.listenPort,
        token: settings.agentToken ?? settings.commander.token,
        tls: settings.listenTls,
        maxFrameChars: settings.maxFrameChars,
      },
      this.patterns(runner),
    );
    const address = await listener.listen();
    const client = new CommanderClient({
      ...settings.commander,
      namespace: settings.namespace,
      connectTimeoutMs: settings.connectTimeoutMs,
      closeTimeoutMs: settings.closeTimeoutMs,
      // The registration has its own, patient way to try again; this much passes over the change of a replica.
      maxRepeats: 2,
    });
    const registration = new AgentRegistration(client, {
      describe: () => this.describe(handlers, address, client),
      inFlight: () => runner.inFlightCount,
      cancel: (runId) => runner.cancel(runId),
      identityKey: settings.identityKey,
      outrank: (instanceEpoch) => (this.instanceEpoch = instanceEpoch + 1),
    });
    this.parts = { handlers, runner, listener, address, client, registration };
    registration.start();
  }

  /** First of the shutdown hooks: what arrives from now on is answered SHUTTING_DOWN and goes to another agent. */
  onModuleDestroy(): void {
    this.isDraining = true;
    this.parts?.runner.refuseNew();
  }

  /** Commander keeps counting on the runs under way, so it is told only after they have ended. */
  async beforeApplicationShutdown(): Promise<void> {
    if (!this.parts) return;
    const { runner, registration } = this.parts;
    await runner.drain(this.settings.drainTimeoutMs);
    await registration.deregister();
  }

  async onApplicationShutdown(): Promise<void> {
    if (!this.parts) return;
    const { listener, client, registration } = this.parts;
    registration.stop();
    await listener.close(this.settings.closeTimeoutMs);
    await client.close();
  }

  private patterns(runner: JobRunner): Map<AgentCommandName, PatternHandler> {
    const { agentId } = this.settings;
    return new Map([
      serve('agent.execute', async (request) => `{"result":${await runner.execute(request)}}`),
      serve('agent.cancel', async ({ runId, epoch, reason }) =>
        JSON.stringify({ cancelled: runner.cancel(runId, reason, epoch) }),
      ),
      serve('agent.ping', async () =>
        JSON.stringify({
          agentId,
          instanceEpoch: this.instanceEpoch,
          inFlight: runner.inFlightCount,
          draining: this.isDraining || (this.parts?.registration.isDrainWanted ?? false),
        }),
      ),
    ]);
  }

  private async describe(
    handlers: JobHandlers,
    address: AddressInfo,
    client: CommanderClient,
  ): Promise<CommandInput<'agent.register'>> {
    const { agentId, labels, capacity, version, listenHost, advertiseHost } = this.settings;
    const isEveryInterface = listenHost === '0.0.0.0' || listenHost === '::';
    const host = advertiseHost ?? (isEveryInterface ? await client.localAddress() : listenHost);
    if (isLoopback(host) && !isLoopback(await client.localAddress())) this.warnOfLoopback(host);
    return {
      ...{ agentId, host, port: address.port, labels, capacity, version },
      capabilities: [...handlers.keys()],
      instanceEpoch: this.instanceEpoch,
    };
  }

  /** Once: it would be registered, look well, and fail every run. */
  private warnOfLoopback(host: string): void {
    if (this.isWarned) return;
    this.isWarned = true;
    this.logger.warn(
      `commander is told to dial ${host}, which leads here on this machine only: where commander is on another, set listenHost and advertiseHost`,
    );
  }
}

/** A pattern with its handler behind the contract's schema. */
function serve<Name extends AgentCommandName>(
  name: Name,
  handle: (request: AgentCommandRequest<Name>) => Promise<string>,
): [Name, PatternHandler] {
  const schema: z.ZodType = agentSideCommands[name].request;
  return [
    name,
    async (data) => {
      const parsed = schema.safeParse(data);
      if (parsed.success) return handle(parsed.data as AgentCommandRequest<Name>);
      const issues = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
      throw new CommandError('INVALID_ARGUMENT', `${name}: ${issues[0]?.path || 'request'}: ${issues[0]?.message}`, {
        issues,
      });
    },
  ];
}
