import type { Socket } from 'node:net';
import { ClientTCP, type TcpSocket } from '@nestjs/microservices';
import { CommandError } from '../contract/command-error.js';
import type { CommandPacket } from '../contract/packet.js';
import type { CommanderClientSettings } from './commander-client.options.js';
import { type FramedSocket, framedSocketClass } from './framed-socket.js';

/** A reply whose frame makes no progress for this long ends the connection. */
const INCOMPLETE_REPLY_TIMEOUT_MS = 30_000;
/** Commander answers DEADLINE_EXCEEDED by itself; only when that does not arrive either, the own timer speaks. */
const DEADLINE_GRACE_MS = 500;
const MAX_TIMER_MS = 2 ** 31 - 1;

type ReplyPacket = { id?: unknown; err?: unknown; response?: unknown };

/** How long to wait and who may end the wait. */
export interface RequestLimits {
  /** ms that commander was told it has. */
  deadlineMs: number;
  signal?: AbortSignal;
}

/**
 * One TCP connection to commander, shared by all requests. Dialled by the first of them, over for good once closed: a
 * lost connection is replaced, never revived, so that nothing late of an old socket can touch a new one.
 * Errors carry `details.sent`: false when commander cannot have seen the request.
 */
export class CommanderConnection extends ClientTCP {
  private opened: Promise<void> | undefined;
  private nextId = 0;
  private waitingCount = 0;
  private lastReceivedAt = 0;
  private isRetired = false;
  private isOver = false;
  private cause: string | undefined;
  private readonly overWaiters: Array<() => void> = [];

  constructor(
    private readonly settings: CommanderClientSettings,
    /** Called once, when nothing of it is left. */
    private readonly onOver: () => void,
  ) {
    const { host, port, token, tls } = settings;
    super({
      host,
      port,
      ...(tls ? { tlsOptions: tls } : {}),
      socketClass: framedSocketClass({
        maxFrameChars: settings.maxReplyChars,
        // Refused request by request before it gets that far, see exchange().
        maxSendBufferBytes: Number.POSITIVE_INFINITY,
        incompleteFrameTimeoutMs: INCOMPLETE_REPLY_TIMEOUT_MS,
      }) as never,
      serializer: {
        serialize: (packet: CommandPacket): CommandPacket => (token === undefined ? packet : { ...packet, token }),
      },
    });
  }

  /** Requests under way, those that wait for the connection included. */
  get pendingCount(): number {
    return Math.max(this.waitingCount, this.routingMap.size);
  }

  /** Whether a new request may use it. */
  get isUsable(): boolean {
    return !this.isRetired && !this.isOver;
  }

  /** Own address of the connection. */
  get localAddress(): string | undefined {
    return (this.socket as FramedSocket | null)?.netSocket.localAddress;
  }

  /** Resolves when connected. @throws CommandError UNAVAILABLE, `details.sent` false */
  dial(): Promise<void> {
    this.opened ??= this.dialOnce();
    return this.opened;
  }

  /**
   * Sends a request and waits for its reply.
   * @throws CommandError what commander answered · UNAVAILABLE when the connection fails · DEADLINE_EXCEEDED ·
   *   CANCELLED by the signal · INVALID_ARGUMENT when the request is no JSON or too long · RATE_LIMITED
   */
  async request(pattern: string, data: unknown, limits: RequestLimits): Promise<unknown> {
    this.waitingCount += 1;
    try {
      if (limits.signal?.aborted) throw givenUp(pattern, false);
      const startedAt = performance.now();
      await this.dialledWithin(pattern, limits);
      const leftMs = limits.deadlineMs - (performance.now() - startedAt);
      return await this.exchange(pattern, data, leftMs, limits.signal);
    } finally {
      this.waitingCount -= 1;
      this.endWhenUnused();
    }
  }

  /** Takes no new request; ends when those under way have their replies. */
  retire(): void {
    this.isRetired = true;
    this.endWhenUnused();
  }

  /** Fails what is under way and closes; after `timeoutMs` without ceremony. */
  async end(timeoutMs: number, why = 'the client was closed'): Promise<void> {
    this.isRetired = true;
    this.cause ??= why;
    const socket = (this.socket as FramedSocket | null)?.netSocket;
    if (!socket || this.isOver) return this.handleClose();
    this.failPending();
    // end() of a socket that still connects waits for the connection.
    if (socket.connecting) socket.destroy(new Error(why));
    else socket.destroySoon();
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    await new Promise<void>((resolve) => this.overWaiters.push(resolve));
    clearTimeout(timer);
  }

  override registerErrorListener(socket: TcpSocket): void {
    socket.on('error', (error: unknown) => {
      this.cause ??= error instanceof Error ? error.message : String(error);
      // A framing error comes without the end of the socket: what follows in the stream is garbage.
      (socket.netSocket as Socket).destroy();
    });
  }

  /** Called by the socket's `close`. */
  override handleClose(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.failPending();
    this.socket = null;
    // Whoever counts proxies by their close() must not count this one for ever.
    super.close();
    this.onOver();
    for (const resolve of this.overWaiters.splice(0)) resolve();
  }

  /** Nest's own one awaits a deserializer and lets a frame that is no object become an unhandled rejection. */
  override async handleResponse(packet: unknown): Promise<void> {
    this.lastReceivedAt = performance.now();
    const { id, err, response } = Object(packet) as ReplyPacket;
    // Nobody there: whoever asked has given up meanwhile.
    this.routingMap.get(id as string)?.({ err, response });
  }

  private async dialOnce(): Promise<void> {
    const { connectTimeoutMs } = this.settings;
    if (this.isOver) throw this.unavailable(false);
    const connecting = this.connect();
    const socket = (this.socket as FramedSocket).netSocket;
    const timer = setTimeout(() => {
      socket.destroy(new Error(`no connection within ${connectTimeoutMs} ms`));
    }, connectTimeoutMs);
    // TLS is up only with its own handshake; `connect` alone says that somebody accepts TCP there.
    const secured = this.settings.tls
      ? new Promise<void>((resolve) => socket.once('secureConnect', () => resolve()))
      : undefined;
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    try {
      await connecting;
      await Promise.race([secured, closed]);
    } catch (error) {
      this.cause ??= error instanceof Error ? error.message : String(error);
    } finally {
      clearTimeout(timer);
    }
    if (this.cause !== undefined || this.isOver) {
      socket.destroy();
      this.isRetired = true;
      throw this.unavailable(false);
    }
  }

  private dialledWithin(pattern: string, { deadlineMs, signal }: RequestLimits): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const settle = (error?: CommandError): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        if (error) reject(error);
        else resolve();
      };
      const onAbort = () => settle(givenUp(pattern, false));
      const timer = setTimeout(() => settle(this.unavailable(false)), Math.min(deadlineMs, MAX_TIMER_MS));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.dial().then(() => settle(), settle);
    });
  }

  private async exchange(pattern: string, data: unknown, leftMs: number, signal?: AbortSignal): Promise<unknown> {
    // It may have fired since the wait for the connection was over, and does not fire again.
    if (signal?.aborted) throw givenUp(pattern, false);
    const id = (this.nextId++).toString(36);
    const frame = this.encode({ id, pattern, data });
    const socket = this.socket as FramedSocket | null;
    if (!socket || this.isOver || !socket.netSocket.writable) throw this.unavailable(false);
    if (socket.netSocket.writableLength > this.settings.maxSendBufferBytes) {
      throw new CommandError('RATE_LIMITED', `${this.peer} does not read its requests`, { sent: false });
    }
    const sentAt = performance.now();
    let forget = (): void => undefined;
    try {
      return await new Promise<unknown>((resolve, reject) => {
        const onAbort = () => reject(givenUp(pattern, true));
        const timer = setTimeout(
          () => {
            reject(
              new CommandError('DEADLINE_EXCEEDED', `${pattern}: no reply in time from ${this.peer}`, { sent: true }),
            );
            // Not a sound since: the peer may have vanished without a word. The next request dials anew and finds out.
            if (this.lastReceivedAt < sentAt) this.retire();
          },
          Math.min(Math.max(0, leftMs) + DEADLINE_GRACE_MS, MAX_TIMER_MS),
        );
        forget = () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
          this.routingMap.delete(id);
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        this.routingMap.set(id, ({ err, response }: ReplyPacket) => {
          if (err === undefined || err === null) resolve(response);
          else reject(CommandError.fromWire(err));
        });
        socket.writeFrame(frame);
      });
    } finally {
      forget();
    }
  }

  private encode(packet: CommandPacket): string {
    let frame: string;
    try {
      frame = JSON.stringify(this.serializer.serialize(packet));
    } catch (error) {
      throw new CommandError('INVALID_ARGUMENT', `the request is no JSON: ${(error as Error).message}`, {
        sent: false,
      });
    }
    const bytes = Buffer.byteLength(frame);
    const { maxFrameBytes } = this.settings;
    if (bytes <= maxFrameBytes) return frame;
    throw new CommandError(
      'INVALID_ARGUMENT',
      `the request has ${bytes} bytes, more than ${maxFrameBytes} (maxFrameBytes)`,
      {
        sent: false,
      },
    );
  }

  private failPending(): void {
    const error = this.unavailable(true);
    for (const settle of [...this.routingMap.values()]) settle({ err: error });
  }

  private endWhenUnused(): void {
    if (!this.isRetired || this.waitingCount > 0 || this.isOver) return;
    void this.end(this.settings.closeTimeoutMs, 'the connection is not used any more');
  }

  private get peer(): string {
    return `${this.settings.host}:${this.settings.port}`;
  }

  private unavailable(sent: boolean): CommandError {
    const what = sent
      ? `the connection to commander at ${this.peer} was lost`
      : `commander at ${this.peer} cannot be reached`;
    const why = this.cause === undefined ? (sent ? 'closed by the other end' : 'not connected yet') : this.cause;
    return new CommandError('UNAVAILABLE', `${what}: ${why}`, { sent });
  }
}

function givenUp(pattern: string, sent: boolean): CommandError {
  return new CommandError('CANCELLED', `${pattern}: the caller gave up`, { sent });
}
