import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { AgentExecuteRequest } from '../../../src/contract/index.js';

/** Fields of a dispatch that a test cares for. */
export type ExecuteFields = Partial<Omit<AgentExecuteRequest, 'job'>> & {
  job: { name: string; payload?: unknown; headers?: Record<string, string> };
};
import { frameOf, FrameReader } from './frames.js';

export interface Reply {
  id: string;
  err?: { code: string; message: string; retryable: boolean; details?: Record<string, unknown> };
  response?: any;
}

/** A bare socket that speaks to an agent as commander does. */
export class RawPeer {
  private readonly waiting = new Map<string, (reply: Reply) => void>();
  private readonly deserted = new Set<(error: Error) => void>();
  private nextId = 0;
  isClosed = false;

  private constructor(readonly socket: Socket) {
    const reader = new FrameReader();
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
      for (const reject of this.deserted) reject(new Error('the connection ended without an answer'));
    });
    socket.on('data', (chunk) => {
      for (const reply of reader.read(chunk) as Reply[]) this.waiting.get(reply.id)?.(reply);
    });
  }

  static async connect(port: number): Promise<RawPeer> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawPeer(socket);
  }

  /** The whole packet of the answer. Rejects when the connection ends before. */
  call(pattern: string, data: unknown, extra: Record<string, unknown> = {}): Promise<Reply> {
    const id = `peer-${this.nextId++}`;
    return new Promise((resolve, reject) => {
      this.deserted.add(reject);
      this.waiting.set(id, (reply) => {
        this.waiting.delete(id);
        this.deserted.delete(reject);
        resolve(reply);
      });
      this.socket.write(frameOf({ id, pattern, data, ...extra }));
    });
  }

  execute(request: ExecuteFields, extra: Record<string, unknown> = {}): Promise<Reply> {
    return this.call('agent.execute', executeRequest(request), extra);
  }

  close(): void {
    this.socket.destroy();
  }
}

let runs = 0;

/** A dispatch with everything filled in; a run of its own unless `runId` is given. */
export function executeRequest(request: ExecuteFields): Record<string, unknown> {
  const runId = request.runId ?? `run-${++runs}`;
  return { runId, attempt: 1, epoch: 1, idempotencyKey: runId, deadlineMs: 10_000, ...request };
}
