import { Readable } from 'node:stream';

/** What may wait for one reader before it counts as gone. */
const MAX_WAITING_BYTES = 256 * 1_024;

/** A body of server-sent events. A reader that does not keep up is dropped instead of buffered for. */
export class EventStream extends Readable {
  constructor() {
    super({ highWaterMark: MAX_WAITING_BYTES });
  }

  /** Sends an event; `json` is one line. */
  event(name: string, json: string): void {
    this.send(`event: ${name}\ndata: ${json}\n\n`);
  }

  /** A line that readers skip: proxies and browsers see that the stream is alive. */
  heartbeat(): void {
    this.send(': alive\n\n');
  }

  /** How many ms a browser waits before it comes back after the stream has ended. */
  retryAfter(ms: number): void {
    this.send(`retry: ${ms}\n\n`);
  }

  override _read(): void {
    // Everything is pushed when it happens.
  }

  private send(text: string): void {
    if (this.destroyed || this.push(text)) return;
    this.destroy();
  }
}
