import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { CommandError } from '../contract/command-error.js';
import type { CommandInput, CommandName, CommandReply } from '../contract/commands.js';
import { type CallOptions, type CommandGroup, commandGroup } from './command-group.js';
import {
  COMMANDER_CLIENT_OPTIONS,
  type CommanderClientOptions,
  commanderClientOptionsSchema,
  type CommanderClientSettings,
  readOptions,
} from './commander-client.options.js';
import { CommanderConnection } from './commander-connection.js';
import { isRepeatable } from './repeatable-commands.js';

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 500;

/**
 * Sends commands to commander over one TCP connection: opened by the first command, replaced after a loss, closed when
 * the app shuts down.
 *
 * A command is sent again, on a new connection and within its deadline, when commander cannot have executed it (not
 * reachable, or `SHUTTING_DOWN` of a replica that is being replaced). One that may have been executed is sent again only
 * if that does no harm: reads, declarations such as `schedule.upsert`, and whatever carries an idempotency key.
 * Every failure is a {@link CommandError}.
 */
@Injectable()
export class CommanderClient implements OnApplicationShutdown {
  readonly schedules: CommandGroup<'schedule'>;
  readonly jobs: CommandGroup<'job'>;
  readonly runs: CommandGroup<'run'>;
  readonly agents: CommandGroup<'agent'>;
  readonly results: CommandGroup<'result'>;
  readonly system: CommandGroup<'system'>;
  readonly diagnostics: CommandGroup<'diagnostics'>;

  private readonly settings: CommanderClientSettings;
  /** The one for new requests is the last; before it at most those whose last replies are still to come. */
  private readonly connections = new Set<CommanderConnection>();
  private current: CommanderConnection | undefined;
  private closing: Promise<void> | undefined;

  /** @throws TypeError naming the option that is wrong */
  constructor(@Inject(COMMANDER_CLIENT_OPTIONS) options: CommanderClientOptions) {
    this.settings = readOptions('CommanderClient options', commanderClientOptionsSchema, options);
    const send = this.send.bind(this);
    this.schedules = commandGroup('schedule', send);
    this.jobs = commandGroup('job', send);
    this.runs = commandGroup('run', send);
    this.agents = commandGroup('agent', send);
    this.results = commandGroup('result', send);
    this.system = commandGroup('system', send);
    this.diagnostics = commandGroup('diagnostics', send);
  }

  /** Requests whose replies are awaited. */
  get pendingCount(): number {
    let count = 0;
    for (const connection of this.connections) count += connection.pendingCount;
    return count;
  }

  /** Open connections: 1 at most, more only while replies of a replica that is being replaced are still to come. */
  get connectionCount(): number {
    return this.connections.size;
  }

  /** Connects now instead of with the first command. @throws CommandError UNAVAILABLE */
  async connect(): Promise<void> {
    await this.usableConnection().dial();
  }

  /** This machine's address on the connection to commander: one under which commander's side can reach it, unless there is NAT between. */
  async localAddress(): Promise<string> {
    const connection = this.usableConnection();
    await connection.dial();
    // IPv4 on a dual-stack socket.
    const address = connection.localAddress?.replace(/^::ffff:/, '');
    if (address === undefined)
      throw new CommandError('UNAVAILABLE', 'the connection to commander was lost', { sent: false });
    return address;
  }

  /**
   * Sends one command and resolves with its reply.
   * @throws CommandError
   */
  async send<Name extends CommandName>(
    name: Name,
    input: CommandInput<Name>,
    { deadlineMs, signal }: CallOptions = {},
  ): Promise<CommandReply<Name>> {
    const { namespace, requestTimeoutMs, maxRepeats } = this.settings;
    const deadlineAt = performance.now() + (deadlineMs ?? input.deadlineMs ?? requestTimeoutMs);
    for (let repeatCount = 0; ; repeatCount++) {
      const connection = this.usableConnection();
      const leftMs = Math.max(1, Math.round(deadlineAt - performance.now()));
      try {
        // A namespace that is there and undefined is none, too.
        const data = { ...input, namespace: input.namespace ?? namespace, deadlineMs: leftMs };
        return (await connection.request(name, data, { deadlineMs: leftMs, signal })) as CommandReply<Name>;
      } catch (error) {
        const failure = CommandError.fromWire(error);
        // Its drain still answers what it has accepted, so only new requests go elsewhere.
        if (isOfReplica(failure) && failure.code === 'SHUTTING_DOWN') connection.retire();
        if (repeatCount >= maxRepeats || !this.mayRepeat(name, input, failure)) throw failure;
        await this.pause(repeatCount, deadlineAt, failure, signal);
      }
    }
  }

  /** Fails what is under way with UNAVAILABLE and closes every connection, within `closeTimeoutMs`. Idempotent. */
  close(): Promise<void> {
    this.closing ??= Promise.all(
      [...this.connections].map((connection) => connection.end(this.settings.closeTimeoutMs)),
    ).then(() => undefined);
    return this.closing;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }

  private usableConnection(): CommanderConnection {
    if (this.closing) throw new CommandError('UNAVAILABLE', 'this client is closed', { sent: false });
    if (!this.current?.isUsable) {
      const connection = new CommanderConnection(this.settings, () => this.connections.delete(connection));
      this.connections.add(connection);
      this.current = connection;
    }
    return this.current;
  }

  private mayRepeat<Name extends CommandName>(name: Name, input: CommandInput<Name>, failure: CommandError): boolean {
    if (this.closing || !isOfReplica(failure)) return false;
    if (failure.code === 'SHUTTING_DOWN') return true;
    // UNAVAILABLE without `sent` is commander's own answer: it has waited for Redis already.
    if (failure.code !== 'UNAVAILABLE' || failure.details?.sent === undefined) return false;
    return failure.details.sent === false || isRepeatable(name, input);
  }

  private async pause(
    repeatCount: number,
    deadlineAt: number,
    failure: CommandError,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** repeatCount) * (0.5 + Math.random() / 2);
    if (performance.now() + pauseMs >= deadlineAt) throw failure;
    try {
      await sleep(pauseMs, undefined, { signal });
    } catch {
      throw new CommandError('CANCELLED', 'the caller gave up', failure.details);
    }
  }
}

/** Whether commander speaks of itself. With `wait` it answers with the error of a run that has ended, whatever code that has: the run was made. */
function isOfReplica({ details }: CommandError): boolean {
  return details?.state === undefined;
}
