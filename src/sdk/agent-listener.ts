import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  Server as TlsServer,
  type TlsOptions,
  type TLSSocket,
} from 'node:tls';
import { Logger } from '@nestjs/common';
import { z } from 'zod';
import { CommandError, type WireError } from '../contract/command-error.js';
import { AgentStrangers } from './agent-strangers.js';
import { FramedSocket } from './framed-socket.js';
import { ExecutionError } from './job-runner.js';
import { tokenCheck } from './token-check.js';

/** Replicas of commander, one connection each, with room for those that come while others go. */
const MAX_CONNECTIONS = 256;
/** Connections that have not shown the token yet, beside those. */
const MAX_STRANGERS = 32;
/** Of the longest request: what those may hold, together, of requests that are not complete. */
const STRANGERS_FRAMES = 4;
/** A connection without a request under way or a byte for this long is closed; commander dials again when it needs one. */
const IDLE_TIMEOUT_MS = 900_000;
const INCOMPLETE_REQUEST_TIMEOUT_MS = 10_000;
/** Of answers to one connection; beyond it nothing more is read from there until they are taken. */
const MAX_SEND_BUFFER_BYTES = 16_777_216;
/** A peer that takes nothing of its answers for this long is given up. */
const UNREAD_ANSWERS_TIMEOUT_MS = 30_000;

/** Serves one pattern: checks the data and resolves with the reply as JSON. */
export type PatternHandler = (data: unknown) => Promise<string>;

export interface AgentListenerOptions {
  host: string;
  /** 0: a free one. */
  port: number;
  /** What every request must carry, if set. */
  token?: string;
  /** Serve TLS with this. */
  tls?: TlsOptions;
  /** Longest request, in UTF-16 code units. */
  maxFrameChars: number;
}

interface Connection {
  socket: Socket;
  framed: FramedSocket;
  /** Requests not answered yet. */
  openCount: number;
  /** Its answers are not taken: nothing is read from it. */
  isBlocked: boolean;
}

const packetSchema = z.object({
  id: z.string().max(128),
  pattern: z.unknown().optional(),
  data: z.unknown().optional(),
  token: z.unknown().optional(),
});

/** The TCP server of an agent: Nest's framing and packets, so every Nest TCP client can talk to it. */
export class AgentListener {
  private readonly logger = new Logger('CommanderAgent');
  private readonly server: Server;
  private readonly connections = new Set<Connection>();
  /** Sockets under TLS, those whose handshake is not done among them. */
  private readonly rawSockets = new Set<Socket>();
  private readonly strangers: AgentStrangers;
  private readonly isAllowed: (token: unknown) => boolean;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly options: AgentListenerOptions,
    private readonly handlers: ReadonlyMap<string, PatternHandler>,
  ) {
    this.isAllowed = tokenCheck(options.token);
    const accept = (socket: Socket) => this.accept(socket);
    this.server = options.tls ? this.tlsServer(options.tls, accept) : createServer({ noDelay: true }, accept);
    this.strangers = new AgentStrangers({
      count: MAX_STRANGERS,
      bytes: options.maxFrameChars * STRANGERS_FRAMES,
      timeoutMs: INCOMPLETE_REQUEST_TIMEOUT_MS,
    });
    this.server.prependListener('connection', (socket: Socket) => this.strangers.admit(socket));
    this.server.maxConnections = MAX_CONNECTIONS + MAX_STRANGERS;
  }

  get connectionCount(): number {
    return this.connections.size;
  }

  /** New connections get this certificate, and show one of this CA. Does nothing without TLS. */
  renewTls(options: SecureContextOptions): void {
    if (this.server instanceof TlsServer) this.server.setSecureContext(options);
  }

  /** Resolves with where it listens; rejects with the system's error (EADDRINUSE, EADDRNOTAVAIL, EACCES, ENOTFOUND …). */
  listen(): Promise<AddressInfo> {
    const { host, port } = this.options;
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.off('error', reject);
        this.server.on('error', (error) => this.logger.error(`listener: ${error.message}`));
        resolve(this.server.address() as AddressInfo);
      });
    });
  }

  /** Accepts nothing new, sends what was written, closes every connection; after `timeoutMs` without ceremony. Idempotent. */
  close(timeoutMs: number): Promise<void> {
    this.closing ??= this.closeAll(timeoutMs);
    return this.closing;
  }

  private tlsServer(tls: TlsOptions, accept: (socket: Socket) => void): Server {
    const options = { noDelay: true, handshakeTimeout: INCOMPLETE_REQUEST_TIMEOUT_MS, ...tls };
    const server = createTlsServer(options, accept);
    server.on('connection', (socket: Socket) => {
      this.rawSockets.add(socket);
      socket.once('close', () => this.rawSockets.delete(socket));
    });
    // Node tells of a handshake that failed or took too long, and may leave the connection open.
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      this.logger.debug(`handshake: ${error.message}`);
      socket.destroy();
    });
    return server;
  }

  private async closeAll(timeoutMs: number): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const { socket } of this.connections) socket.destroySoon();
    const timer = setTimeout(() => {
      for (const { socket } of this.connections) socket.destroy();
      for (const socket of this.rawSockets) socket.destroy();
    }, timeoutMs);
    await closed;
    clearTimeout(timer);
  }

  private accept(socket: Socket): void {
    const hear = (chunk: Buffer): void => {
      if (!this.strangers.hear(socket, chunk.length)) socket.off('data', hear);
    };
    // Before the socket's own reader, which may find a request complete.
    socket.on('data', hear);
    const framed = new FramedSocket(socket, {
      maxFrameChars: this.options.maxFrameChars,
      // Results that many runs bring at once are more than that for a moment: serve() waits until they are taken.
      maxSendBufferBytes: Number.POSITIVE_INFINITY,
      incompleteFrameTimeoutMs: INCOMPLETE_REQUEST_TIMEOUT_MS,
    });
    const connection: Connection = { socket, framed, openCount: 0, isBlocked: false };
    this.connections.add(connection);
    socket.on('close', () => this.connections.delete(connection));
    // Framing errors come as `error` without the end of the socket; what follows in the stream is garbage.
    socket.on('error', (error: unknown) => {
      this.logger.debug(
        `connection of ${socket.remoteAddress}: ${error instanceof Error ? error.message : String(error)}`,
      );
      socket.destroy();
    });
    socket.setTimeout(IDLE_TIMEOUT_MS);
    socket.on('timeout', () => {
      if (connection.isBlocked) socket.destroy();
      else if (connection.openCount === 0) socket.destroySoon();
    });
    framed.on('message', (packet: unknown) => void this.serve(connection, packet));
  }

  /** Never rejects: whatever happens becomes the `err` of the answer. */
  private async serve(connection: Connection, packet: unknown): Promise<void> {
    const parsed = packetSchema.safeParse(packet);
    if (!parsed.success) {
      // Without an id (a Nest event, say) there is nobody to answer.
      return void connection.socket.destroySoon();
    }
    const { id, pattern, data, token } = parsed.data;
    this.strangers.read(connection.socket);
    connection.openCount += 1;
    let answer: string;
    try {
      if (!this.isAllowed(token)) throw new CommandError('UNAUTHENTICATED', 'the token is missing or wrong');
      this.strangers.trust(connection.socket);
      const handler = typeof pattern === 'string' ? this.handlers.get(pattern) : undefined;
      if (!handler) throw new CommandError('NOT_FOUND', 'no such command on an agent');
      answer = `"response":${await handler(data)}`;
    } catch (error) {
      answer = `"err":${JSON.stringify(this.wireErrorOf(error))}`;
    } finally {
      connection.openCount -= 1;
    }
    if (!connection.socket.writable) return;
    // `id` last: a reader that has to skip an answer too long for it still learns whose it was.
    connection.framed.writeFrame(`{${answer},"isDisposed":true,"id":${JSON.stringify(id)}}`);
    if (!connection.isBlocked && connection.socket.writableLength > MAX_SEND_BUFFER_BYTES) this.block(connection);
  }

  /** Reads no further request until the answers are taken. */
  private block(connection: Connection): void {
    const { socket } = connection;
    connection.isBlocked = true;
    socket.pause();
    socket.setTimeout(UNREAD_ANSWERS_TIMEOUT_MS);
    socket.once('drain', () => {
      connection.isBlocked = false;
      socket.setTimeout(IDLE_TIMEOUT_MS);
      socket.resume();
    });
  }

  private wireErrorOf(error: unknown): WireError {
    if (error instanceof ExecutionError) return error.wire;
    if (error instanceof CommandError) return error.toWire();
    this.logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return new CommandError('INTERNAL', 'internal error of the agent').toWire();
  }
}
