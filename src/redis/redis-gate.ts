import { Inject, Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { CommandError } from '../contract/command-error.js';
import { DeadlineWheel, WheelEntry } from '../deadlines/deadline-wheel.js';
import { engineConnection } from './engine-connection.js';
import { type RawRedisClient, REDIS, type RedisClient } from './redis-client.js';
import { guardRedisClient } from './redis-guard.js';
import { refusedByServer } from './redis-refusal.js';

const MAX_MARGIN_MS = 200;
const MARGIN_SHARE = 0.15;
/** What the wheel may be late, which must not eat up the margin. */
const DEADLINE_TICK_MS = 10;

function unreachable(): CommandError {
  return new CommandError('UNAVAILABLE', 'Redis is not reachable');
}

function late(): CommandError {
  return new CommandError('UNAVAILABLE', 'Redis did not answer in time');
}

/** What is left until a deadline, as a delay that a timer takes. */
function msUntil(deadlineAt: number): number {
  return Math.min(Math.max(0, deadlineAt - Date.now()), 2 ** 31 - 1);
}

/**
 * The way to Redis for everything that somebody waits for. A command is handed to the client only while the connection
 * is ready: ioredis would queue it otherwise and run it when Redis is back, long after its caller was told that it
 * failed. A command that is under way when Redis freezes or the connection breaks cannot be taken back and may still
 * take effect later; what is run through the gate must therefore be safe to repeat.
 *
 * A Redis that has let a deadline pass and answered nothing meanwhile is silent: until it answers anything, nothing more
 * is handed to it. A client keeps what was sent until it is answered, long after its caller was told that it failed: with
 * a frozen Redis a stream of requests would fill the heap.
 */
@Injectable()
export class RedisGate {
  private readonly raw: RawRedisClient;
  private readonly gated: RedisClient;
  private readonly waiting = new Set<(outcome: 'ready' | 'closed') => void>();
  private readonly deadlines = new DeadlineWheel(DEADLINE_TICK_MS);
  private readonly underWay = new Set<RedisWait>();
  /** Works that have ended since the start, well or not. */
  private endedCount = 0;
  private isSilent = false;
  private closed = false;

  constructor(@Inject(REDIS) private readonly client: RedisClient) {
    const raw = engineConnection(client);
    this.raw = raw;
    this.gated = guardRedisClient(raw, () => {
      if (raw.status !== 'ready') throw unreachable();
    });
  }

  /**
   * Bytes that have been read from Redis: a work of many commands that are answered takes its time, and is no silence. Of a cluster,
   * which has several connections, always 0: there a work that ends is the only sign.
   */
  private get readBytes(): number {
    const { raw } = this;
    // Before the first connection there is no socket.
    return raw.isCluster ? 0 : ((raw as Partial<Pick<Redis, 'stream'>>).stream?.bytesRead ?? 0);
  }

  /** Whether commands are handed to the client now. */
  get isUsable(): boolean {
    return this.client.status === 'ready' && !this.isSilent;
  }

  /**
   * Runs commands, waiting for Redis at most until `deadlineAt` (ms since the epoch by this process's clock).
   * @throws CommandError UNAVAILABLE when Redis is not ready by then, is lost on the way, or does not answer in time;
   * whatever else `work` throws
   */
  async run<T>(deadlineAt: number, work: (redis: RedisClient) => Promise<T>): Promise<T> {
    const answerBy = answerByOf(deadlineAt);
    if (!this.isUsable) await this.ready(answerBy);
    let giveUp!: (error: CommandError) => void;
    const givenUp = new Promise<never>((_resolve, reject) => {
      giveUp = reject;
    });
    const wait = this.waitUntil(answerBy, giveUp);
    try {
      return await Promise.race([this.heard(work(this.gated)), givenUp]);
    } catch (error) {
      if (isConnectionError(error)) throw unreachable();
      throw refusedByServer(error) ?? error;
    } finally {
      this.end(wait);
    }
  }

  /**
   * Waits, until a little before `deadlineAt`, for what is sent together with the work of others through {@link run}; only while
   * {@link isUsable}. Whoever waits says when it is over ({@link end}).
   * @param giveUp told UNAVAILABLE, at most once, when Redis has not answered by then
   * @throws CommandError UNAVAILABLE when it is too late already
   */
  wait(deadlineAt: number, giveUp: (error: CommandError) => void): RedisWait {
    return this.waitUntil(answerByOf(deadlineAt), giveUp);
  }

  /** Ends a wait. Again: does nothing. */
  end(wait: RedisWait): void {
    this.deadlines.remove(wait);
    this.underWay.delete(wait);
  }

  private waitUntil(answerBy: number, giveUp: (error: CommandError) => void): RedisWait {
    // Nobody waits for the answer: a command issued now could only surprise.
    if (answerBy <= Date.now()) throw late();
    const dueAt = performance.now() + Math.max(0, msUntil(answerBy) - DEADLINE_TICK_MS);
    const wait = new RedisWait(dueAt, this.endedCount, this.readBytes, giveUp, this.onPassed);
    this.deadlines.add(wait);
    this.underWay.add(wait);
    return wait;
  }

  private readonly onPassed = (wait: RedisWait): void => {
    if (this.endedCount === wait.endedCount && this.readBytes === wait.readBytes) this.fallSilent();
    this.underWay.delete(wait);
    wait.giveUp(late());
  };

  /** Tells whoever still waits that Redis does not come back. For RedisModule, once the client is disposed of. */
  close(): void {
    this.closed = true;
    this.wake('closed');
    // A command that was lost with its connection is neither answered nor failed by a client that was disconnected.
    for (const wait of [...this.underWay]) wait.giveUp(unreachable());
    this.deadlines.close();
  }

  /** Passes on how a work ends, and notes that it has. */
  private async heard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } finally {
      this.endedCount++;
      if (this.isSilent) this.hearAgain();
    }
  }

  private fallSilent(): void {
    if (this.isSilent) return;
    this.isSilent = true;
    // What waits for an answer may be lost with its connection: then the new one is the first word.
    this.client.once('ready', this.hearAgain);
  }

  private readonly hearAgain = () => {
    this.isSilent = false;
    this.client.off('ready', this.hearAgain);
    this.wake('ready');
  };

  private async ready(deadlineAt: number): Promise<void> {
    if (this.closed) throw unreachable();
    await new Promise<void>((resolve, reject) => {
      const settle = (outcome: 'ready' | 'closed') => {
        clearTimeout(timer);
        this.waiting.delete(settle);
        if (this.waiting.size === 0) this.client.off('ready', this.onReady);
        if (outcome === 'ready') resolve();
        else reject(unreachable());
      };
      const timer = setTimeout(settle, msUntil(deadlineAt), 'closed');
      // One listener however many wait: a thousand waiting commands are no leak, and must not look like one.
      if (this.waiting.size === 0) this.client.on('ready', this.onReady);
      this.waiting.add(settle);
    });
  }

  private readonly onReady = () => this.wake('ready');

  private wake(outcome: 'ready' | 'closed'): void {
    for (const settle of [...this.waiting]) settle(outcome);
  }
}

/** Until when a work may take. */
export class RedisWait extends WheelEntry {
  constructor(
    /** Monotonic ms. */
    readonly dueAt: number,
    /** Works that had ended when it began. */
    readonly endedCount: number,
    /** What had been read from Redis when it began. */
    readonly readBytes: number,
    readonly giveUp: (error: CommandError) => void,
    private readonly pass: (wait: RedisWait) => void,
  ) {
    super();
  }

  onDue(): void {
    this.pass(this);
  }
}

/** A little before the caller's own deadline, so that it is told what it waited for. */
function answerByOf(deadlineAt: number): number {
  return deadlineAt - Math.min(MAX_MARGIN_MS, Math.max(0, deadlineAt - Date.now()) * MARGIN_SHARE);
}

/** What ioredis and the socket under it say when the connection is gone or cannot be used now. */
function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof CommandError) return false;
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string' && /^(E[A-Z]+|ERR_SOCKET_[A-Z_]+|ERR_STREAM_[A-Z_]+)$/.test(code)) return true;
  if (error.name === 'MaxRetriesPerRequestError' || error.name === 'ClusterAllFailedError') return true;
  return (
    error.message === 'Connection is closed.' ||
    error.message === 'Command aborted due to connection close' ||
    error.message.startsWith("Stream isn't writeable") ||
    // A cluster whose master is gone: every node that was asked sent the client on, or was gone itself.
    error.message.startsWith('Too many Cluster redirections')
  );
}
