import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { WireError } from '../../../src/contract/index.js';
import { frameOf, FrameReader } from './frames.js';

export interface ReceivedRequest {
  id: string;
  pattern: string;
  data: any;
  token?: string;
  socket: Socket;
  /** By `performance.now()`. */
  atMs: number;
}

/** Makes the answer an `err`. */
export class Refusal {
  constructor(readonly err: WireError | string) {}
}

/** Leaves a request without an answer. */
export const SILENCE = Symbol('silence');

export type Answer = (request: ReceivedRequest) => unknown;

/** The TCP side of a commander under full control of a test: bare sockets, Nest's framing, nothing of Nest. */
export class RawCommander {
  readonly requests: ReceivedRequest[] = [];
  readonly sockets = new Set<Socket>();
  acceptedCount = 0;

  private constructor(
    private server: Server,
    public answer: Answer,
  ) {}

  static async start(answer: Answer, port = 0, host = '127.0.0.1'): Promise<RawCommander> {
    const commander = new RawCommander(createServer(), answer);
    await commander.listen(port, host);
    return commander;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  received(pattern: string): ReceivedRequest[] {
    return this.requests.filter((request) => request.pattern === pattern);
  }

  /** Cuts every connection; new ones are accepted. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Refuses new connections; those that are open go on. */
  stopAccepting(): void {
    this.server.close();
  }

  /** Accepts again, on the port given. */
  async listen(port: number, host = '127.0.0.1'): Promise<void> {
    this.server = createServer((socket) => this.accept(socket));
    this.server.listen(port, host);
    await once(this.server, 'listening');
  }

  /** Ends everything. Idempotent. */
  async stop(): Promise<void> {
    if (this.server.listening) this.server.close();
    this.cut();
    while (this.sockets.size > 0) await once([...this.sockets][0]!, 'close');
  }

  private accept(socket: Socket): void {
    this.acceptedCount += 1;
    this.sockets.add(socket);
    const reader = new FrameReader();
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (chunk) => {
      for (const packet of reader.read(chunk)) {
        void this.serve({ ...packet, socket, atMs: performance.now() });
      }
    });
  }

  private async serve(request: ReceivedRequest): Promise<void> {
    this.requests.push(request);
    const answer = await this.answer(request);
    if (answer === SILENCE || request.socket.destroyed) return;
    const body = answer instanceof Refusal ? { err: answer.err } : { response: answer };
    request.socket.write(frameOf({ ...body, isDisposed: true, id: request.id }));
  }
}

/** An error as commander writes it. */
export function refusal(
  code: WireError['code'],
  message = 'told by the test',
  details?: Record<string, unknown>,
): Refusal {
  return new Refusal({ code, message, retryable: true, ...(details ? { details } : {}) });
}

/** What a commander answers to the commands of an agent. */
export function agentAnswers(overrides: Record<string, Answer> = {}): Answer {
  return (request) => {
    const override = overrides[request.pattern];
    if (override) return override(request);
    switch (request.pattern) {
      case 'agent.register':
        return { leaseMs: 1_000, heartbeatEveryMs: 50, serverTime: Date.now() };
      case 'agent.heartbeat':
        return { leaseMs: 1_000, cancelRunIds: [], drain: false, unknown: false };
      case 'agent.deregister':
        return { removed: true };
      default:
        return refusal('NOT_FOUND');
    }
  };
}
