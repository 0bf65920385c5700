import * as net from 'node:net';
import * as tls from 'node:tls';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnModuleDestroy,
  Optional,
} from '@nestjs/common';
import { type MessageHandler, ServerTCP } from '@nestjs/microservices';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import { InFlight } from '../lifecycle/in-flight.js';
import { ServingState } from '../lifecycle/serving-state.js';
import { Access } from './access.js';
import { COMMAND_IN_FLIGHT, CommandDispatcher } from './command-dispatcher.js';
import {
  type CloseReason,
  closeReasons,
  CommanderSocket,
  type ReceivedAt,
  type SocketObserver,
} from './commander-socket.js';
import { Connections } from './connections.js';
import { RateLimitedLog } from './rate-limited-log.js';
import type { TransportStats } from './transport-stats.js';

/** Injection token of optional `tls.TlsOptions`; with them, commands are served over TLS. */
export const TCP_TLS_OPTIONS = Symbol('TCP_TLS_OPTIONS');

const KEEP_ALIVE_AFTER_MS = 30_000;
/** How long peers have at shutdown to answer our FIN before their connections are cut. */
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * The TCP side of commander: Nest's strategy for commands, hardened.
 *
 * Connections: at most `maxConnections`; the next one is closed at once and counted (`refusedCount`). What ends an
 * accepted connection stands at {@link CommanderSocket}, what a single request can be refused for at
 * {@link CommandDispatcher}. Log lines about peers are limited to one per reason and ten seconds.
 *
 * `listen` reports every error that keeps it from listening, so the start of the app fails instead of hanging.
 *
 * Shutdown: `onModuleDestroy` stops accepting, and requests on open connections are answered `SHUTTING_DOWN`;
 * `beforeApplicationShutdown` waits for commands under way until `drainTimeoutMs` after that, answers the rest with
 * `UNAVAILABLE`, and ends the connections. Nest calls `close()` once more afterwards; all of it may be called repeatedly.
 */
@Injectable()
export class CommanderServer extends ServerTCP implements SocketObserver, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly nestLogger = new Logger(CommanderServer.name);
  private readonly log = new RateLimitedLog(this.nestLogger);
  private readonly dispatcher: CommandDispatcher;
  private readonly connections: Connections;
  private readonly closedCounts = Object.fromEntries(closeReasons.map((reason) => [reason, 0])) as Record<
    CloseReason,
    number
  >;
  /** Sockets under TLS, from the first byte of the handshake until they are closed. */
  private readonly rawSockets = new Set<net.Socket>();
  private acceptedCount = 0;
  private refusedCount = 0;
  private brokenCount = 0;
  private listeningOn: { host: string; port: number } | undefined;
  private drainUntil: number | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    private readonly inFlight: InFlight,
    private readonly serving: ServingState,
    private readonly access: Access,
    @Optional() @Inject(TCP_TLS_OPTIONS) tlsOptions?: tls.TlsOptions,
  ) {
    super({ host: settings.tcpHost, port: settings.tcpPort, tlsOptions });
    this.server.maxConnections = settings.maxConnections;
    this.dispatcher = new CommandDispatcher(settings, inFlight, access, this.log);
    const shortestTimeoutMs = Math.min(settings.frameTimeoutMs, settings.idleTimeoutMs);
    this.connections = new Connections(Math.min(1_000, Math.max(25, shortestTimeoutMs / 4)));
  }

  /** Where commands are served. Keeps its value after the server has closed. @throws Error before `listen` succeeded */
  address(): { host: string; port: number } {
    if (this.listeningOn === undefined) throw new Error('the command server is not listening');
    return this.listeningOn;
  }

  stats(): TransportStats {
    const { dispatcher, connections } = this;
    return {
      tcpCount: connections.count,
      tcpMaxCount: this.settings.maxConnections,
      acceptedCount: this.acceptedCount,
      refusedCount: this.refusedCount,
      closedCounts: { ...this.closedCounts },
      brokenCount: this.brokenCount,
      commandsCount: dispatcher.commandsCount,
      eventsDroppedCount: dispatcher.eventsDroppedCount,
      errorCounts: { ...dispatcher.errorCounts },
      inFlightCount: this.inFlight.count(COMMAND_IN_FLIGHT),
      inFlightBytes: dispatcher.inFlightBytes,
      overdueHandlersCount: dispatcher.overdueHandlersCount,
      lateAnswersCount: dispatcher.lateAnswersCount,
      unreadLength: connections.unreadLength,
      unsentBytes: connections.unsentBytes,
    };
  }

  /** Calls back once: with nothing when commands are served, or with the error that keeps them from being served. */
  override listen(callback: (error?: unknown) => void): void {
    const strangers = this.dispatcher.setHandlers(this.messageHandlers);
    if (strangers.length > 0) this.nestLogger.warn(`not in the contract, so not served: ${strangers.join(', ')}`);
    const { server } = this;
    const settle = (error?: unknown) => {
      server.off('error', settle);
      server.off('listening', onListening);
      callback(error);
    };
    const onListening = () => {
      const { address, port } = server.address() as net.AddressInfo;
      this.listeningOn = { host: address, port };
      settle();
    };
    server.once('error', settle);
    server.once('listening', onListening);
    try {
      server.listen(this.port, this.host);
    } catch (error) {
      settle(error);
    }
  }

  /** New connections get this certificate, and show one of this CA. Does nothing when commands are not served over TLS. */
  renewTls(options: tls.SecureContextOptions): void {
    if (this.server instanceof tls.Server) this.server.setSecureContext(options);
  }

  /** Stops accepting and answers new requests with `SHUTTING_DOWN`. */
  onModuleDestroy(): void {
    if (this.drainUntil !== undefined) return;
    this.drainUntil = performance.now() + this.settings.drainTimeoutMs;
    this.isManuallyTerminated = true;
    this.dispatcher.isDraining = true;
    if (this.server.listening) this.server.close();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.close();
  }

  /** Drains and closes. Every call waits for the same close. */
  // Nest declares `close(): void` and awaits what it returns.
  override close(): Promise<void> {
    this.closing ??= this.drain();
    return this.closing;
  }

  /** The handler of a pattern of the contract. Compares strings only: nothing that a peer sent is parsed as JSON again. */
  override getHandlerByPattern(pattern: string): MessageHandler | null {
    return this.messageHandlers.get(pattern) ?? null;
  }

  override bindHandler(netSocket: net.Socket): void {
    const socket = new CommanderSocket(netSocket, this.settings, this);
    this.acceptedCount++;
    this.connections.add(socket);
    // A peer that was accepted between the last look of the kernel and our close.
    if (this.drainUntil !== undefined) socket.endGracefully();
  }

  onFrame(socket: CommanderSocket, json: string, receivedAt: ReceivedAt): void {
    if (this.serving.isDraining) this.dispatcher.isDraining = true;
    this.dispatcher.dispatch(socket, json, receivedAt);
  }

  onFail(socket: CommanderSocket, reason: CloseReason, message: string): void {
    this.closedCounts[reason]++;
    // Idle and drained connections are nobody's fault.
    if (reason !== 'idle-timeout' && reason !== 'drained') this.log.warn(reason, `closed ${socket.remote}: ${message}`);
  }

  onBroken(socket: CommanderSocket, error: NodeJS.ErrnoException): void {
    this.brokenCount++;
    // Peers that crash or are killed reset their connections; that is their log's business.
    if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE')
      this.log.warn('broken', `${socket.remote}: ${error.message}`);
  }

  onGone(socket: CommanderSocket): void {
    this.dispatcher.onGone(socket);
  }

  onUnblocked(): void {
    this.dispatcher.onUnblocked();
  }

  onClose(socket: CommanderSocket): void {
    this.connections.remove(socket);
  }

  isTokenAsked(): boolean {
    return this.access.isTokenAsked;
  }

  isSendBudgetSpent(): boolean {
    return this.connections.unsentBytes > this.settings.maxConnections * this.settings.maxSendBufferBytes;
  }

  protected override init(): void {
    const options: net.ServerOpts = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS };
    const accept = (socket: net.Socket) => this.bindHandler(socket);
    this.server = this.tlsOptions
      ? tls.createServer({ ...this.tlsOptions, ...options }, accept)
      : net.createServer(options, accept);
    if (this.tlsOptions) this.server.on('connection', (socket: net.Socket) => this.follow(socket));
    this.server.on('drop', () => this.onRefused());
    this.server.on('tlsClientError', (error: Error, socket: tls.TLSSocket) => {
      // Node tells of a handshake that took too long, and leaves it open.
      socket.destroy();
      this.log.warn('tls', error.message);
    });
    this.registerListeningListener(this.server);
    this.registerErrorListener(this.server);
    this.registerCloseListener(this.server);
  }

  /** Errors of the listening socket: those of `listen` reach its callback, the others are failed accepts. */
  protected override handleError(error: unknown): void {
    if (this.listeningOn === undefined) return;
    this.log.error('accept', error instanceof Error ? error.message : String(error));
  }

  /** Until its handshake is done a connection is no CommanderSocket, and would outlive the server. */
  private follow(socket: net.Socket): void {
    this.rawSockets.add(socket);
    socket.once('close', () => this.rawSockets.delete(socket));
  }

  private onRefused(): void {
    this.refusedCount++;
    this.log.warn('refused', `a connection, because ${this.settings.maxConnections} are open (MAX_CONNECTIONS)`);
  }

  private async drain(): Promise<void> {
    this.onModuleDestroy();
    const isDrained = await this.inFlight.idle(Math.max(0, this.drainUntil! - performance.now()), COMMAND_IN_FLIGHT);
    if (!isDrained) {
      this.nestLogger.warn(`${this.inFlight.count(COMMAND_IN_FLIGHT)} commands were not finished in time and are cut`);
      this.dispatcher.cutAll();
    }
    this.connections.endGracefully();
    await this.connections.empty(CLOSE_TIMEOUT_MS);
    this.connections.destroy();
    for (const socket of this.rawSockets) socket.destroy();
    // A destroyed socket says so one turn later.
    await this.connections.empty(CLOSE_TIMEOUT_MS);
    this.dispatcher.close();
  }
}
