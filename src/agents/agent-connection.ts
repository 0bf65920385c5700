import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { type ErrorCode, isWireError } from '../contract/command-error.js';
import { type DeadlineWheel, WheelEntry } from '../deadlines/deadline-wheel.js';
import { isDeeperThan } from '../transport/json-depth.js';
import { AgentCallError } from './agent-call.error.js';
import { encodeFrame, FrameDecoder } from './agent-frame.js';
import type { CallStop } from './call-stop.js';

/** Idle time after which the kernel asks whether the agent's machine is still there. */
const KEEP_ALIVE_AFTER_MS = 10_000;
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Nest's answer to a pattern that nobody handles. */
const NO_HANDLER = /^There is no (matching )?message handler/;

/** Codes with which an agent refuses a run that it has not begun: it is full, draining, or has no such handler (any more). */
const notNow: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['RATE_LIMITED', 'SHUTTING_DOWN', 'NOT_FOUND']);

/** One process of one agent, and where it listens. */
export interface AgentTarget {
  namespace: string;
  agentId: string;
  instanceEpoch: number;
  host: string;
  port: number;
}

/** Limits of a connection to an agent. */
export interface AgentConnectionLimits {
  connectTimeoutMs: number;
  /** Longest answer, in UTF-16 code units of its JSON. A longer one fails its call only. */
  maxFrameLength: number;
  /** Deepest nesting of an answer. */
  maxDepth: number;
  /** Requests that may wait for an agent that does not read. */
  maxSendBufferBytes: number;
  /** Sent with every request, if set. */
  token?: string;
}

export interface CallOptions {
  /** ms since the epoch by this process's clock. */
  deadlineAt: number;
  /** Ends the wait; the agent is not told. For this call alone. */
  stop?: CallStop;
}

/** What a call tells its connection. */
interface CallOwner {
  onSettled(call: PendingCall): void;
  onTimeOut(call: PendingCall): void;
}

class PendingCall extends WheelEntry {
  readonly sentAt = performance.now();

  constructor(
    readonly id: string,
    /** Monotonic ms. */
    readonly dueAt: number,
    readonly stop: CallStop | undefined,
    private readonly settleWith: (response: unknown) => void,
    private readonly failWith: (error: AgentCallError) => void,
    private readonly owner: CallOwner,
  ) {
    super();
  }

  resolve(response: unknown): void {
    this.owner.onSettled(this);
    this.settleWith(response);
  }

  reject(error: AgentCallError): void {
    this.owner.onSettled(this);
    this.failWith(error);
  }

  onDue(): void {
    this.owner.onTimeOut(this);
  }
}

/**
 * One socket to one agent process, shared by all calls to it. Dialled when made; over for good once it is closed.
 * A call leaves nothing behind, however it ends.
 */
export class AgentConnection implements CallOwner {
  private readonly socket: Socket;
  private readonly opened: Promise<void>;
  private readonly pending = new Map<string, PendingCall>();
  private nextId = 0;
  private callCount = 0;
  private isOpen = false;
  private isRetired = false;
  /** Requests of this turn of the loop. */
  private gathered = '';
  private lastReceivedAt = 0;
  private closeReason: AgentCallError | undefined;
  private connectTimer: NodeJS.Timeout | undefined;
  private readonly flushLater = () => this.flush();
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>;
  /** performance.now() of the last call. */
  lastUsedAt = performance.now();

  constructor(
    readonly target: AgentTarget,
    private readonly limits: AgentConnectionLimits,
    /** Deadlines of calls. */
    private readonly deadlines: DeadlineWheel,
    /** undefined: plain TCP. */
    tls?: ConnectionOptions,
  ) {
    const decoder = new FrameDecoder(limits.maxFrameLength, {
      frame: (json) => this.receive(json),
      oversized: (tail) => this.receiveOversized(tail),
    });
    const address = {
      host: target.host,
      port: target.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS,
    };
    const socket = tls ? connectTls({ ...address, ...tls }) : connect(address);
    this.socket = socket;
    this.opened = new Promise((resolve, reject) => {
      this.connectTimer = setTimeout(() => {
        this.fail(this.unreachable(`no connection within ${limits.connectTimeoutMs} ms`));
      }, limits.connectTimeoutMs);
      socket.once(tls ? 'secureConnect' : 'connect', () => {
        clearTimeout(this.connectTimer);
        this.isOpen = true;
        resolve();
      });
      socket.once('close', () => reject(this.closeReason ?? this.unreachable('connection closed')));
    });
    // Whoever waits handles it; when nobody waits any more it is no news.
    this.opened.catch(() => undefined);
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (chunk) => {
      this.lastReceivedAt = performance.now();
      try {
        decoder.push(chunk);
      } catch (error) {
        this.fail(this.protocolError((error as Error).message));
      }
    });
    socket.on('error', (error) => this.fail(this.isOpen ? this.lost(error.message) : this.unreachable(error.message)));
    // Nest's server never half-closes: an end is the end.
    socket.on('end', () => this.fail(this.lost('the agent closed the connection')));
    socket.on('close', () => this.fail(this.lost('the connection was closed')));
  }

  /** Calls under way, those that wait for the connection included. */
  get pendingCount(): number {
    return this.callCount;
  }

  /** Requests sent and not yet answered. */
  get unansweredCount(): number {
    return this.pending.size;
  }

  /** Whether a new call may use it. */
  get isUsable(): boolean {
    return !this.isRetired && this.closeReason === undefined;
  }

  /**
   * Sends a request and waits for its answer.
   * @returns the `response` of the packet
   * @throws AgentCallError
   */
  call(pattern: string, data: unknown, { deadlineAt, stop }: CallOptions): Promise<unknown> {
    this.lastUsedAt = performance.now();
    const id = (this.nextId++).toString(36);
    const { token } = this.limits;
    const frame = encodeFrame(token === undefined ? { pattern, data, id } : { pattern, data, id, token });
    this.callCount += 1;
    if (this.isOpen) return this.exchange(id, frame, deadlineAt, stop);
    return this.openedBy(deadlineAt, stop).then(
      () => this.exchange(id, frame, deadlineAt, stop),
      (error: unknown) => {
        this.end();
        throw error;
      },
    );
  }

  /** Takes no new call; closes when those under way have ended. */
  retire(): void {
    this.isRetired = true;
    this.closeWhenUnused();
  }

  /** Fails what is under way, sends what was written, closes; after `timeoutMs` without ceremony. */
  async close(timeoutMs: number): Promise<void> {
    this.isRetired = true;
    this.settleAll(this.lost('the connection is being closed'));
    this.flush();
    if (this.isOpen) this.socket.destroySoon();
    else this.socket.destroy();
    const timer = setTimeout(() => this.socket.destroy(), timeoutMs);
    await this.closed;
    clearTimeout(timer);
  }

  private exchange(id: string, frame: string, deadlineAt: number, stop?: CallStop): Promise<unknown> {
    return new Promise<unknown>((resolve, reject) => {
      const refused = this.refusedBeforeSent(stop);
      if (refused !== undefined) {
        this.end();
        reject(refused);
        return;
      }
      const dueAt = performance.now() + Math.max(0, deadlineAt - Date.now());
      const call = new PendingCall(id, dueAt, stop, resolve, reject, this);
      this.deadlines.add(call);
      stop?.whenStopped(() => call.reject(this.aborted()));
      this.pending.set(id, call);
      this.write(frame);
    });
  }

  private refusedBeforeSent(stop: CallStop | undefined): AgentCallError | undefined {
    if (this.closeReason) return this.closeReason;
    if (stop?.isStopped) return this.aborted();
    if (this.socket.writableLength + this.gathered.length > this.limits.maxSendBufferBytes) {
      return new AgentCallError('busy', 'RATE_LIMITED', `agent ${this.target.agentId} does not read its requests`);
    }
    return undefined;
  }

  private write(frame: string): void {
    // One system call for all requests of this turn; joined, which costs less than a list of buffers.
    if (this.gathered === '') process.nextTick(this.flushLater);
    this.gathered += frame;
  }

  private flush(): void {
    const { gathered } = this;
    this.gathered = '';
    if (gathered !== '' && this.closeReason === undefined) this.socket.write(gathered);
  }

  /** The deadline of a call has passed. */
  onTimeOut(call: PendingCall): void {
    call.reject(
      new AgentCallError('timeout', 'DEADLINE_EXCEEDED', `agent ${this.target.agentId} did not answer in time`),
    );
    // Not a sound since: the peer may have vanished without a word. The next call dials anew and finds out.
    if (this.lastReceivedAt < call.sentAt) this.retire();
  }

  /** A call has ended, however. Again: does nothing. */
  onSettled(call: PendingCall): void {
    this.deadlines.remove(call);
    call.stop?.whenStopped(undefined);
    if (this.pending.delete(call.id)) this.end();
  }

  private end(): void {
    this.callCount -= 1;
    // Not before whoever ends several calls is done with all of them.
    if (this.isRetired) process.nextTick(() => this.closeWhenUnused());
  }

  private openedBy(deadlineAt: number, stop?: CallStop): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const settle = (error?: AgentCallError): void => {
        clearTimeout(timer);
        stop?.whenStopped(undefined);
        if (error) reject(error);
        else resolve();
      };
      const leftMs = Math.min(Math.max(0, deadlineAt - Date.now()), MAX_TIMER_MS);
      const timer = setTimeout(() => settle(this.unreachable('no connection by the deadline')), leftMs);
      if (stop?.isStopped) return settle(this.aborted());
      stop?.whenStopped(() => settle(this.aborted()));
      this.opened.then(() => settle(), settle);
    });
  }

  private receive(json: string): void {
    let packet: { id?: unknown; err?: unknown; response?: unknown } | null;
    try {
      packet = JSON.parse(json) as typeof packet;
    } catch {
      return this.fail(this.protocolError('a frame is no JSON'));
    }
    if (typeof packet !== 'object' || packet === null || typeof packet.id !== 'string') {
      return this.fail(this.protocolError('a frame is no answer'));
    }
    const call = this.pending.get(packet.id);
    // Whoever asked has given up meanwhile.
    if (!call) return;
    if (isDeeperThan(packet, this.limits.maxDepth)) call.reject(this.unfitAnswer('nests too deep'));
    else if (packet.err !== undefined && packet.err !== null) call.reject(this.refusal(packet.err));
    else if (packet.response !== undefined) call.resolve(packet.response);
    else call.reject(this.protocolError('an answer is empty'));
  }

  private receiveOversized(tail: string): void {
    const id = /"id":"([0-9a-z]+)"\}$/.exec(tail)?.[1];
    const call = id === undefined ? undefined : this.pending.get(id);
    const why = `is longer than ${this.limits.maxFrameLength} characters`;
    if (call) call.reject(this.unfitAnswer(why));
    else if (id === undefined) this.fail(this.protocolError(`an answer ${why}`));
  }

  private refusal(err: unknown): AgentCallError {
    const { agentId } = this.target;
    if (!isWireError(err)) {
      const text = typeof err === 'string' ? err : (err as { message?: unknown }).message;
      if (typeof text !== 'string') return this.protocolError('an error has no message');
      if (NO_HANDLER.test(text)) return this.protocolError(text);
      return new AgentCallError('job', 'INTERNAL', text);
    }
    const { code, message, details } = err;
    // An agent marks what its handler threw: a site that is rate limited must not pass for an agent that is.
    if (details?.kind !== 'job') {
      if (notNow.has(code)) return new AgentCallError('busy', code, message, undefined, details);
      if (code === 'UNAUTHENTICATED') return this.protocolError(`agent ${agentId} refused the token`);
    }
    // It kept the deadline and said so: the job was slow, the agent is well.
    if (code === 'DEADLINE_EXCEEDED') return new AgentCallError('timeout', code, message, 'job-error', details);
    return new AgentCallError('job', code, message, code === 'CANCELLED' ? 'abandoned' : undefined, details);
  }

  private fail(error: AgentCallError): void {
    if (this.closeReason) return;
    this.closeReason = error;
    clearTimeout(this.connectTimer);
    this.settleAll(error);
    this.socket.destroy();
  }

  private settleAll(error: AgentCallError): void {
    for (const call of [...this.pending.values()]) call.reject(error);
  }

  private closeWhenUnused(): void {
    if (!this.isRetired || this.callCount > 0 || this.closeReason) return;
    this.fail(this.lost('the connection is not used any more'));
  }

  private unreachable(why: string): AgentCallError {
    return new AgentCallError('unreachable', 'UNAVAILABLE', `agent ${this.target.agentId} cannot be reached: ${why}`);
  }

  private lost(why: string): AgentCallError {
    return new AgentCallError('lost', 'UNAVAILABLE', `connection to agent ${this.target.agentId} was lost: ${why}`);
  }

  private protocolError(why: string): AgentCallError {
    return new AgentCallError(
      'protocol',
      'UNAVAILABLE',
      `agent ${this.target.agentId} does not answer properly: ${why}`,
    );
  }

  /** What the job returned is what does not fit: its agent is well, and the next attempt would bring the same. */
  private unfitAnswer(why: string): AgentCallError {
    const { agentId } = this.target;
    return new AgentCallError('job', 'INVALID_ARGUMENT', `the answer of agent ${agentId} ${why}`, undefined, {
      retryable: false,
    });
  }

  private aborted(): AgentCallError {
    return new AgentCallError('aborted', 'CANCELLED', `the call to agent ${this.target.agentId} was given up`);
  }
}
