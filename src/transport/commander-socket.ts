import type { Socket } from 'node:net';
import { TcpSocket } from '@nestjs/microservices';
import type { Speaker } from './access.js';
import { certificateNames } from './certificate-names.js';
import type { Caller, CommandContext } from './command-context.js';
import { FrameError, type FrameErrorReason, FrameReader } from './frame-reader.js';
import { RateLimit } from './rate-limit.js';
import type { Asker } from './reply-turns.js';
import type { BudgetHolder } from './request-budget.js';

/** Longest piece of replies that is written at once, in UTF-16 code units; only a longer reply makes a longer one. */
const PIECE_LENGTH = 65_536;
/** Requests of one connection that are served in one turn of the loop. */
const FRAMES_PER_TURN = 128;
/** How long a connection that is being closed may take to write its last replies and to see the peer's FIN. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Why a connection was closed by us. `drained`: in good order, at shutdown. */
export const closeReasons = [
  'malformed-frame',
  'oversized-frame',
  'frame-timeout',
  'idle-timeout',
  'send-buffer',
  'unauthenticated',
  'drained',
] as const satisfies readonly (FrameErrorReason | string)[];
export type CloseReason = (typeof closeReasons)[number];

/** When something was received: the same instant on the two clocks that are needed. */
export interface ReceivedAt {
  /** `performance.now()`: for timeouts. */
  monotonicMs: number;
  /** `Date.now()`: for deadlines that leave this module. */
  epochMs: number;
}

/** What a connection tells its server. */
export interface SocketObserver {
  /** A frame is complete. Never called after `fail` or `endGracefully`. */
  onFrame(socket: CommanderSocket, json: string, receivedAt: ReceivedAt): void;
  /** We close the connection. */
  onFail(socket: CommanderSocket, reason: CloseReason, message: string): void;
  /** The connection broke (a reset, mostly). */
  onBroken(socket: CommanderSocket, error: NodeJS.ErrnoException): void;
  /** Nobody on the connection waits any more. */
  onGone(socket: CommanderSocket): void;
  onClose(socket: CommanderSocket): void;
  /** The peer takes replies again. */
  onUnblocked(): void;
  /** Whether replies held for all connections together leave no room for more. */
  isSendBudgetSpent(): boolean;
  /** Whether every request must carry a token. */
  isTokenAsked(): boolean;
}

export interface SocketLimits {
  readonly maxFrameBytes: number;
  readonly maxSendBufferBytes: number;
  readonly frameTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** 0: no limit. */
  readonly maxRequestsPerSecond: number;
}

/**
 * One accepted connection: Nest's framing in both directions, with bounds.
 *
 * How a peer learns that it broke one: the connection is closed (replies that were ready are still written), because a
 * stream that cannot be understood, or a peer that does not keep up, cannot be answered by a packet.
 * - not a frame, not JSON, not a packet → `malformed-frame`; longer than `maxFrameBytes` → `oversized-frame`
 * - a frame not complete `frameTimeoutMs` after its first byte, however many bytes trickle in → `frame-timeout`
 * - no request for `idleTimeoutMs` and none in flight → `idle-timeout`
 * - a token is asked for, and none of its requests carried one within `frameTimeoutMs` → `unauthenticated`: whoever has
 *   no business here shall not hold one of the connections
 * - a peer that does not read: reading from it stops at once. Replies of its requests in flight are held. When more than
 *   `maxSendBufferBytes` of them wait, and either nothing was taken for `frameTimeoutMs` or all connections together hold
 *   `maxConnections` times as much, the connection is destroyed → `send-buffer`. (A peer that asked for several long
 *   replies at once is over the limit for a moment although it reads; it must not lose them.)
 *
 * A peer that sends more than `maxRequestsPerSecond` loses nothing: the rest is read later. Meanwhile TCP makes it wait.
 *
 * A peer that half-closes is gone: the FIN of a killed caller looks the same, and its commands must be given up.
 *
 * Replies are gathered and written with one system call when the current callbacks and their promises have run.
 */
export class CommanderSocket extends TcpSocket implements Caller, BudgetHolder, Asker, Speaker {
  readonly contexts = new Set<CommandContext>();
  readonly remote: string;
  /** Commands of this connection that are not answered yet. */
  inFlightCount = 0;
  /** Heap that its requests hold. */
  inFlightBytes = 0;
  private shownToken: Speaker['shown'];
  isGone = false;
  /** The peer does not take what we write: nothing is read from it until it does. */
  isBlocked = false;

  private provedNames: ReadonlySet<string> | undefined;
  private readonly reader: FrameReader;
  private isClosing = false;
  private isDestroyed = false;
  /** It has had its requests of this second: nothing is read from it until there are more. */
  private throttle: NodeJS.Timeout | undefined;
  /** It has had its requests of this turn of the loop. */
  private turn: NodeJS.Immediate | undefined;
  private isCrowded = false;
  private isFlushScheduled = false;
  /** Replies of this loop turn. */
  private gathered = '';
  /** Replies that wait for a blocked peer, in pieces. */
  private readonly held: string[] = [];
  private heldBytes = 0;
  /** Monotonic ms at which the blocked peer took something last. */
  private takenAt = 0;
  /** Monotonic ms; 0: no frame is incomplete. */
  private frameStartedAt = 0;
  private readonly openedAt = performance.now();
  /** Monotonic ms since when it has shown no token that opens anything. */
  private strangerSince = this.openedAt;
  private lastRequestAt = this.openedAt;
  private readonly rateLimit: RateLimit;
  private closeBy = Infinity;
  private readonly flushLater = () => this.flush();
  private readonly readOnLater = () => this.readOn();

  constructor(
    socket: Socket,
    private readonly limits: SocketLimits,
    private readonly observer: SocketObserver,
  ) {
    super(socket);
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`;
    this.reader = new FrameReader(limits.maxFrameBytes);
    this.rateLimit = new RateLimit(limits.maxRequestsPerSecond, this.openedAt);
    socket.on('drain', () => this.onDrain());
    socket.on('end', () => this.leave());
    socket.on('error', (error) => observer.onBroken(this, error));
    socket.on('close', () => {
      this.isDestroyed = true;
      this.leave();
      observer.onClose(this);
    });
  }

  certificateNames(): ReadonlySet<string> {
    this.provedNames ??= certificateNames(this.socket);
    return this.provedNames;
  }

  get shown(): Speaker['shown'] {
    return this.shownToken;
  }

  set shown(shown: Speaker['shown']) {
    this.shownToken = shown;
    if (shown === undefined) this.strangerSince = performance.now();
  }

  /** Code units of requests that are incomplete or not served yet. */
  get unreadLength(): number {
    return this.reader.unreadLength;
  }

  /** Bytes of replies that the peer has not taken yet. */
  get unsentBytes(): number {
    return this.heldBytes + this.gathered.length + this.socket.writableLength;
  }

  /**
   * Queues one packet, given as JSON text.
   * Dropped when the connection is closed or closing.
   */
  sendJson(json: string): void {
    if (this.isGone || this.isClosing) return;
    const frame = `${json.length}#${json}`;
    if (this.isBlocked) return this.hold(frame);
    this.gathered += frame;
    if (this.gathered.length > PIECE_LENGTH) return this.flush();
    if (this.isFlushScheduled) return;
    this.isFlushScheduled = true;
    process.nextTick(this.flushLater);
  }

  /** Closes the connection because of what its peer did. */
  fail(reason: CloseReason, message: string): void {
    if (this.isClosing || this.isDestroyed) return;
    this.observer.onFail(this, reason, message);
    if (reason === 'send-buffer') {
      this.isClosing = true;
      this.leave();
      this.socket.destroy();
      return;
    }
    this.close(() => this.socket.destroySoon());
  }

  setCrowded(isCrowded: boolean): void {
    this.isCrowded = isCrowded;
    if (isCrowded) this.socket.pause();
    // Not from within the turn that made room.
    else process.nextTick(this.readOnLater);
  }

  /** Writes what is ready, says FIN, and leaves the peer a moment to answer it. */
  endGracefully(): void {
    if (this.isClosing || this.isDestroyed) return;
    this.observer.onFail(this, 'drained', 'commander stops');
    this.close(() => this.socket.end());
  }

  /** Cuts the connection. */
  destroy(): void {
    this.socket.destroy();
  }

  /** Ends the connection when one of its times is over. Called every now and then. */
  checkTimes(now: number): void {
    if (this.isClosing) {
      if (now >= this.closeBy) this.socket.destroy();
      return;
    }
    const { frameTimeoutMs, idleTimeoutMs } = this.limits;
    if (this.frameStartedAt > 0 && now - this.frameStartedAt >= frameTimeoutMs) {
      this.fail('frame-timeout', `a frame was not complete after ${frameTimeoutMs} ms`);
    } else if (this.isBlocked && now - this.takenAt >= frameTimeoutMs && this.isOverSendBuffer) {
      // As far as a stream tells: a piece that is taken in part is not taken yet.
      const message = `${this.unsentBytes} bytes of replies, and none of ${PIECE_LENGTH} was taken whole for ${frameTimeoutMs} ms`;
      this.fail('send-buffer', message);
    } else if (this.shown === undefined && now - this.strangerSince >= frameTimeoutMs && this.observer.isTokenAsked()) {
      this.fail('unauthenticated', `no request with a token for ${frameTimeoutMs} ms`);
    } else if (this.inFlightCount === 0 && now - this.lastRequestAt >= idleTimeoutMs) {
      this.fail('idle-timeout', `no request for ${idleTimeoutMs} ms`);
    }
  }

  protected override handleData(chunk: Buffer): void {
    // What arrives while we close is read and forgotten: unread bytes would turn our FIN into a reset.
    if (this.isClosing) return;
    try {
      this.reader.push(chunk);
    } catch (error) {
      return this.failWith(error);
    }
    this.serveFrames();
  }

  protected override handleSend(message: unknown, callback?: (error?: unknown) => void): void {
    this.sendJson(JSON.stringify(message));
    callback?.();
  }

  private serveFrames(): void {
    const receivedAt: ReceivedAt = { monotonicMs: performance.now(), epochMs: Date.now() };
    let isAnyComplete = false;
    try {
      for (let framesCount = 0; this.isServing; framesCount++) {
        if (framesCount === FRAMES_PER_TURN) {
          this.yieldTurn();
          break;
        }
        const waitMs = this.rateLimit.waitMs(receivedAt.monotonicMs);
        if (waitMs > 0) {
          this.readLater(waitMs);
          break;
        }
        const json = this.reader.next();
        if (json === undefined) break;
        this.rateLimit.take();
        isAnyComplete = true;
        this.observer.onFrame(this, json, receivedAt);
      }
    } catch (error) {
      return this.failWith(error);
    }
    if (isAnyComplete) this.lastRequestAt = receivedAt.monotonicMs;
    // While nothing is taken it is we who do not read on.
    if (!this.isServing || !this.reader.hasUnread) this.frameStartedAt = 0;
    else if (isAnyComplete || this.frameStartedAt === 0) this.frameStartedAt = receivedAt.monotonicMs;
  }

  private readLater(waitMs: number): void {
    this.socket.pause();
    this.throttle = setTimeout(() => {
      this.throttle = undefined;
      this.readOn();
    }, waitMs);
    this.throttle.unref();
  }

  /** Lets the other connections, and the handlers of what was served, have their turn of the loop. */
  private yieldTurn(): void {
    this.socket.pause();
    this.turn = setImmediate(() => {
      this.turn = undefined;
      this.readOn();
    });
  }

  private readOn(): void {
    if (!this.isServing) return;
    this.socket.resume();
    this.serveFrames();
  }

  /** Whether requests are taken from this connection now. */
  private get isServing(): boolean {
    const isPaused = this.isBlocked || this.isCrowded || this.throttle !== undefined || this.turn !== undefined;
    return !isPaused && !this.isClosing;
  }

  private failWith(error: unknown): void {
    if (!(error instanceof FrameError)) throw error;
    this.fail(error.reason, error.message);
  }

  private flush(): void {
    this.isFlushScheduled = false;
    if (this.gathered === '' || this.isGone) return;
    const { gathered } = this;
    this.gathered = '';
    this.write(gathered);
  }

  private write(piece: string): void {
    const isBelowHighWaterMark = this.socket.write(piece, 'utf8');
    // A stream that says "full" although the kernel took every byte has no slow peer.
    if (isBelowHighWaterMark || this.socket.writableLength === 0) return;
    this.isBlocked = true;
    this.takenAt = performance.now();
    this.socket.pause();
  }

  private get isOverSendBuffer(): boolean {
    return this.unsentBytes > this.limits.maxSendBufferBytes;
  }

  private hold(frame: string): void {
    const last = this.held.length - 1;
    if (last >= 0 && this.held[last].length < PIECE_LENGTH) this.held[last] += frame;
    else this.held.push(frame);
    this.heldBytes += Buffer.byteLength(frame);
    if (this.isOverSendBuffer && this.observer.isSendBudgetSpent()) {
      this.fail('send-buffer', `${this.unsentBytes} bytes of replies are not read, and no room for more is left`);
    }
  }

  private onDrain(): void {
    if (!this.isBlocked || this.isClosing) return;
    this.isBlocked = false;
    while (this.held.length > 0 && !this.isBlocked) this.writeHeld();
    if (this.isBlocked) return;
    this.observer.onUnblocked();
    this.readOn();
  }

  private writeHeld(): void {
    const piece = this.held.shift()!;
    this.heldBytes -= Buffer.byteLength(piece);
    this.write(piece);
  }

  private close(finish: () => void): void {
    while (this.held.length > 0) this.writeHeld();
    this.flush();
    this.isClosing = true;
    this.closeBy = performance.now() + CLOSE_TIMEOUT_MS;
    this.leave();
    finish();
    this.socket.resume();
  }

  /** Nobody on this connection waits any more. */
  private leave(): void {
    if (this.isGone) return;
    this.isGone = true;
    clearTimeout(this.throttle);
    clearImmediate(this.turn);
    this.throttle = undefined;
    this.turn = undefined;
    this.gathered = '';
    this.held.length = 0;
    this.heldBytes = 0;
    this.reader.clear();
    for (const context of [...this.contexts]) context.abort(new Error('the caller is gone'));
    this.contexts.clear();
    this.observer.onGone(this);
  }
}
