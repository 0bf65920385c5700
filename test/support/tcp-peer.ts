import { createConnection, type Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { WireError } from '../../src/contract/command-error.js';
import { eventually } from './eventually.js';

/** A reply packet as it stands in its frame. */
export interface ReplyPacket {
  id: string | number;
  response?: unknown;
  err?: WireError;
  isDisposed?: boolean;
}

/** Nest's frame around a JSON text: its length in UTF-16 code units, `#`, the text. */
export function frame(json: string): string {
  return `${json.length}#${json}`;
}

/** The frame of a request. */
export function requestFrame(
  id: string | number,
  pattern: unknown,
  data?: unknown,
  rest: Record<string, unknown> = {},
): string {
  return frame(JSON.stringify({ id, pattern, data, ...rest }));
}

/**
 * The other end of a commander connection, with nothing between the test and the wire: it sends any bytes, and may stop
 * reading. Independent of the framing code of the product.
 */
export class TcpPeer {
  readonly replies: ReplyPacket[] = [];
  /** What broke the connection, if it was not closed in good order. */
  error: NodeJS.ErrnoException | undefined;
  /** The other side said FIN. */
  isEnded = false;
  isClosed = false;
  private readonly decoder = new StringDecoder('utf8');
  private unread = '';
  private nextId = 1;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => this.read(chunk));
    socket.on('end', () => (this.isEnded = true));
    socket.on('error', (error) => (this.error = error));
    socket.on('close', () => (this.isClosed = true));
  }

  /** @throws the error of a connection that is not accepted */
  static async connect(address: { host: string; port: number }, tls?: ConnectionOptions): Promise<TcpPeer> {
    const socket = tls ? connectTls({ ...address, ...tls }) : createConnection(address);
    socket.setNoDelay(true);
    const peer = new TcpPeer(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once(tls ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
    });
    return peer;
  }

  /** Sends these bytes as they are. */
  write(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** Sends one request and resolves with its reply, whatever it is. */
  async ask(pattern: unknown, data?: unknown, rest: Record<string, unknown> = {}): Promise<ReplyPacket> {
    const id = `ask-${this.nextId++}`;
    this.write(requestFrame(id, pattern, data, rest));
    return this.replyTo(id);
  }

  /** Sends one request and resolves with its error code, or with 'OK'. */
  async code(pattern: unknown, data?: unknown, rest: Record<string, unknown> = {}): Promise<string> {
    return (await this.ask(pattern, data, rest)).err?.code ?? 'OK';
  }

  /** @throws Error at once when the connection is closed without it */
  async replyTo(id: string | number): Promise<ReplyPacket> {
    const reply = await eventually(
      () => this.replies.find((candidate) => candidate.id === id) ?? (this.isClosed ? undefined : false),
      { what: `reply to ${id}`, intervalMs: 2 },
    );
    if (reply === undefined) throw new Error(`reply to ${id}: the connection was closed before it came`);
    return reply;
  }

  /** Resolves when the connection is closed, by whomever. */
  async closed(timeoutMs = 20_000): Promise<void> {
    await eventually(() => this.isClosed, { what: 'close of the connection', timeoutMs, intervalMs: 5 });
  }

  /** Closes this end. */
  async close(): Promise<void> {
    this.socket.destroy();
    await this.closed();
  }

  private read(chunk: Buffer): void {
    this.unread += this.decoder.write(chunk);
    let offset = 0;
    for (;;) {
      const hash = this.unread.indexOf('#', offset);
      if (hash === -1) break;
      const end = hash + 1 + Number(this.unread.slice(offset, hash));
      if (this.unread.length < end) break;
      this.replies.push(JSON.parse(this.unread.slice(hash + 1, end)) as ReplyPacket);
      offset = end;
    }
    this.unread = this.unread.slice(offset);
  }
}
