import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import type { AgentExecuteRequest } from '../../src/contract/agent.schema.js';
import { CommandError } from '../../src/contract/command-error.js';
import type { CommandInput } from '../../src/contract/commands.js';

/** What a handler of a {@link TcpAgent} knows about its call. */
export interface TcpAgentCall {
  /** Fires on agent.cancel, when the deadline of the request passed, and when the agent dies. */
  signal: AbortSignal;
}

export interface TcpAgentOptions {
  agentId?: string;
  labels?: Record<string, string>;
  /** Job names. Default: `job`. */
  capabilities?: string[];
  capacity?: number;
  version?: string;
  /** Default: grows with each agent started in this process. */
  instanceEpoch?: number;
  /** Loopback port; a free one when absent. */
  port?: number;
  /**
   * Its value, or the promise of it, is the result. What it throws becomes the error, marked as the job's own
   * (`details.kind` and `details.retryable`) as the agent module does. Default: answers `{ok: true, agentId}`.
   */
  handler?: (request: AgentExecuteRequest, call: TcpAgentCall) => unknown;
  /** Asked before the handler; an error that it returns is answered as the agent's own, e.g. RATE_LIMITED. */
  refuse?: (request: AgentExecuteRequest) => CommandError | undefined;
  /** Refuses packets that carry another token. */
  token?: string;
}

/**
 * How the agent treats agent.execute beside its handler: `answer` normally, `hang` for ever, `garbage` as reply,
 * `disconnect` in place of a reply, `empty` reply without a result, `oversized` reply, `deep` reply.
 */
export type TcpAgentBehaviour = 'answer' | 'hang' | 'garbage' | 'disconnect' | 'empty' | 'oversized' | 'deep';

/** A commander to join, see {@link TcpAgent.join}. */
export interface CommanderAddress {
  host?: string;
  port: number;
  token?: string;
  namespace?: string;
  /** Default: as commander says in its answer to the registration. */
  heartbeatEveryMs?: number;
}

let lastEpoch = Date.now();
let lastNumber = 0;

/** An agent that speaks Nest's TCP framing with nothing of the product in it, in this process, on a real socket. */
export class TcpAgent {
  behaviour: TcpAgentBehaviour = 'answer';
  /** Connections accepted since the start. */
  acceptedCount = 0;
  /** agent.execute requests received since the start. */
  executeCount = 0;
  /** Handlers under way now, and the most there ever were at once. */
  activeCount = 0;
  maxActiveCount = 0;
  /** Every agent.execute and agent.cancel received, in order; the newest 10,000. */
  readonly executed: AgentExecuteRequest[] = [];
  readonly cancelled: { runId: string; epoch: number; reason?: string }[] = [];
  /** Tokens of the packets received; undefined where there was none. */
  readonly tokens = new Set<string | undefined>();
  isDraining = false;

  private readonly sockets = new Set<Socket>();
  private readonly aborts = new Map<string, Set<AbortController>>();
  private membership: Membership | undefined;

  private constructor(
    private readonly server: Server,
    private readonly options: TcpAgentOptions,
    readonly agentId: string,
    readonly instanceEpoch: number,
    readonly port: number,
  ) {
    server.on('connection', (socket) => this.accept(socket));
  }

  /** Resolves when it listens on loopback. */
  static async start(options: TcpAgentOptions = {}): Promise<TcpAgent> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    lastEpoch = Math.max(lastEpoch + 1, Date.now());
    lastNumber += 1;
    const { port } = server.address() as AddressInfo;
    return new TcpAgent(
      server,
      options,
      options.agentId ?? `agent-${lastNumber}`,
      options.instanceEpoch ?? lastEpoch,
      port,
    );
  }

  /** Sockets that are open now. */
  get openCount(): number {
    return this.sockets.size;
  }

  /** The request of agent.register for this agent. */
  registration(more: Partial<CommandInput<'agent.register'>> = {}): CommandInput<'agent.register'> {
    const { labels = {}, capabilities = ['job'], capacity = 10, version = '1.0.0' } = this.options;
    const { agentId, port, instanceEpoch } = this;
    return { agentId, host: '127.0.0.1', port, labels, capabilities, capacity, version, instanceEpoch, ...more };
  }

  /**
   * Registers at a commander over TCP and keeps its lease with heartbeats until `leave` or the agent's end; registers
   * again when told that it is unknown, and after a lost connection. Resolves when it is registered.
   */
  async join(commander: CommanderAddress): Promise<void> {
    if (this.membership) throw new Error(`${this.agentId} has joined already`);
    this.membership = new Membership(this, commander, (runId) => this.abort(runId));
    await this.membership.register();
  }

  /** Ends the heartbeats; deregisters unless told not to. */
  async leave({ deregister = true } = {}): Promise<void> {
    const membership = this.membership;
    this.membership = undefined;
    await membership?.end(deregister);
  }

  /** Stops listening and closes every connection without a word: what a peer sees of a killed process. */
  async die(): Promise<void> {
    await this.leave({ deregister: false });
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    for (const runId of [...this.aborts.keys()]) this.abort(runId);
    await closed;
  }

  /** Closes the connections without a word but goes on listening. */
  dropConnections(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Deregisters, ends the connections and stops listening. */
  async stop(): Promise<void> {
    await this.leave().catch(() => undefined);
    if (this.server.listening) await this.die();
  }

  private accept(socket: Socket): void {
    this.acceptedCount += 1;
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
    readFrames(socket, (json) => void this.serve(socket, JSON.parse(json) as Packet));
  }

  private async serve(socket: Socket, { id, pattern, data, token }: Packet): Promise<void> {
    this.tokens.add(token);
    const reply = (body: object) => {
      if (!socket.destroyed) socket.write(frameOf({ ...body, isDisposed: true, id }));
    };
    try {
      if (this.options.token !== undefined && token !== this.options.token) {
        throw new CommandError('UNAUTHENTICATED', 'wrong token');
      }
      if (pattern === 'agent.ping') {
        const { agentId, instanceEpoch, isDraining: draining } = this;
        return reply({ response: { agentId, instanceEpoch, inFlight: this.activeCount, draining } });
      }
      if (pattern === 'agent.cancel') {
        const request = data as { runId: string; epoch: number; reason?: string };
        this.cancelled.push(request);
        return reply({ response: { cancelled: this.abort(request.runId) } });
      }
      if (pattern !== 'agent.execute') {
        return reply({ err: 'There is no matching message handler defined in the remote service.' });
      }
      await this.execute(socket, data as AgentExecuteRequest, reply);
    } catch (error) {
      const known = error instanceof CommandError ? error : new CommandError('INTERNAL', (error as Error).message);
      reply({ err: known.toWire() });
    }
  }

  private async execute(socket: Socket, request: AgentExecuteRequest, reply: (body: object) => void): Promise<void> {
    this.executeCount += 1;
    this.executed.push(request);
    if (this.executed.length > 10_000) this.executed.shift();
    switch (this.behaviour) {
      case 'hang':
        return;
      case 'garbage':
        socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
        return;
      case 'disconnect':
        socket.destroy();
        return;
      case 'empty':
        return reply({ response: {} });
      case 'oversized':
        return reply({ response: { result: 'x'.repeat(4 * 1024 * 1024) } });
      case 'deep':
        return reply({ response: { result: JSON.parse('['.repeat(2_000) + ']'.repeat(2_000)) as unknown } });
      case 'answer':
        return this.answer(request, reply);
    }
  }

  private async answer(request: AgentExecuteRequest, reply: (body: object) => void): Promise<void> {
    const refusal = this.options.refuse?.(request);
    if (refusal) return reply({ err: refusal.toWire() });
    try {
      reply({ response: { result: (await this.handle(request)) ?? null } });
    } catch (error) {
      const known = error instanceof CommandError ? error : new CommandError('INTERNAL', (error as Error).message);
      const retryable = error instanceof CommandError ? error.retryable : true;
      reply({ err: { ...known.toWire(), retryable, details: { ...known.details, kind: 'job', retryable } } });
    }
  }

  private async handle(request: AgentExecuteRequest): Promise<unknown> {
    const controller = new AbortController();
    const running = this.aborts.get(request.runId) ?? new Set();
    running.add(controller);
    this.aborts.set(request.runId, running);
    const timer = setTimeout(() => controller.abort(), Math.min(request.deadlineMs, 2 ** 31 - 1));
    timer.unref();
    // A handler may take no notice and never end.
    controller.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    this.activeCount += 1;
    this.maxActiveCount = Math.max(this.maxActiveCount, this.activeCount);
    try {
      const handler = this.options.handler ?? (() => ({ ok: true, agentId: this.agentId }));
      return await handler(request, { signal: controller.signal });
    } finally {
      this.activeCount -= 1;
      clearTimeout(timer);
      running.delete(controller);
      if (running.size === 0) this.aborts.delete(request.runId);
    }
  }

  private abort(runId: string): boolean {
    const running = this.aborts.get(runId);
    for (const controller of running ?? []) controller.abort();
    return running !== undefined;
  }
}

interface Packet {
  id?: string;
  pattern?: unknown;
  data?: unknown;
  token?: string;
  response?: unknown;
  err?: unknown;
}

/** An agent's registration at one commander, over one connection at a time. */
class Membership {
  private socket: Socket | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isEnded = false;
  private isClosed = false;
  private nextId = 0;
  private readonly waiting = new Map<string, { resolve(value: unknown): void; reject(error: Error): void }>();

  constructor(
    private readonly agent: TcpAgent,
    private readonly commander: CommanderAddress,
    private readonly abort: (runId: string) => void,
  ) {}

  async register(): Promise<void> {
    const { namespace, heartbeatEveryMs } = this.commander;
    const reply = (await this.call('agent.register', this.agent.registration({ namespace }))) as {
      heartbeatEveryMs: number;
    };
    this.beatIn(heartbeatEveryMs ?? reply.heartbeatEveryMs);
  }

  async end(deregister: boolean): Promise<void> {
    this.isEnded = true;
    clearTimeout(this.timer);
    const { agentId, instanceEpoch } = this.agent;
    const { namespace } = this.commander;
    try {
      if (deregister) await this.call('agent.deregister', { agentId, instanceEpoch, namespace });
    } finally {
      this.isClosed = true;
      this.socket?.destroy();
    }
  }

  private beatIn(everyMs: number): void {
    if (this.isEnded) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.beat(everyMs), everyMs);
    this.timer.unref();
  }

  private async beat(everyMs: number): Promise<void> {
    const { agentId, instanceEpoch, activeCount: inFlight } = this.agent;
    const { namespace } = this.commander;
    try {
      const request = { agentId, instanceEpoch, inFlight, namespace };
      const reply = (await this.call('agent.heartbeat', request)) as {
        unknown: boolean;
        drain: boolean;
        cancelRunIds: string[];
      };
      this.agent.isDraining = reply.drain;
      for (const runId of reply.cancelRunIds) this.abort(runId);
      if (reply.unknown && !this.isEnded) await this.register();
    } catch {
      // Commander is away; the next beat tries again.
    }
    this.beatIn(everyMs);
  }

  private async call(pattern: string, data: object): Promise<unknown> {
    const socket = await this.open();
    if (this.isClosed) throw new Error('left');
    const id = String(this.nextId++);
    const { token } = this.commander;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${pattern}: no answer`)), 15_000);
      const settled = () => {
        clearTimeout(timer);
        this.waiting.delete(id);
      };
      this.waiting.set(id, {
        resolve: (value) => (settled(), resolve(value)),
        reject: (error) => (settled(), reject(error)),
      });
      socket.write(frameOf(token === undefined ? { pattern, data, id } : { pattern, data, id, token }));
    });
  }

  private async open(): Promise<Socket> {
    if (this.isClosed) throw new Error('left');
    if (this.socket && !this.socket.destroyed) return this.socket;
    const socket = connect({ host: this.commander.host ?? '127.0.0.1', port: this.commander.port, noDelay: true });
    this.socket = socket;
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const { reject } of [...this.waiting.values()]) reject(new Error('commander closed the connection'));
    });
    readFrames(socket, (json) => {
      const { id = '', err, response } = JSON.parse(json) as Packet;
      const waiting = this.waiting.get(id);
      if (err !== undefined && err !== null) waiting?.reject(CommandError.fromWire(err));
      else waiting?.resolve(response);
    });
    return socket;
  }
}

function frameOf(packet: object): string {
  const json = JSON.stringify(packet);
  return `${json.length}#${json}`;
}

function readFrames(socket: Socket, onFrame: (json: string) => void): void {
  const utf8 = new StringDecoder('utf8');
  let buffered = '';
  socket.on('data', (chunk) => {
    buffered += utf8.write(chunk);
    for (;;) {
      const hash = buffered.indexOf('#');
      if (hash === -1) return;
      const end = hash + 1 + Number(buffered.slice(0, hash));
      if (!(buffered.length >= end)) return;
      const json = buffered.slice(hash + 1, end);
      buffered = buffered.slice(end);
      onFrame(json);
    }
  });
}
