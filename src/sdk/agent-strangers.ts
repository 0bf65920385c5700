import type { Socket } from 'node:net';

/** Bounds of what strangers hold, together. */
export interface StrangerLimits {
  count: number;
  /** Of requests that are not complete. */
  bytes: number;
  /** How long one may stay a stranger. */
  timeoutMs: number;
}

interface Stranger {
  socket: Socket;
  timer: NodeJS.Timeout;
  unreadBytes: number;
}

/**
 * Connections that have not shown yet that they may speak. Beyond a bound the oldest goes, not the newest: whoever may speak
 * does so at once, and must find a place however many others keep theirs.
 */
export class AgentStrangers {
  /** By the address of the peer, which a socket shares with what TLS makes of it; the oldest first. */
  private readonly known = new Map<string, Stranger>();
  private bytes = 0;

  constructor(private readonly limits: StrangerLimits) {}

  get count(): number {
    return this.known.size;
  }

  /** @param socket as it was accepted, before TLS */
  admit(socket: Socket): void {
    const peer = peerOf(socket);
    if (peer === undefined) return;
    const timer = setTimeout(() => socket.destroy(), this.limits.timeoutMs);
    timer.unref();
    this.known.set(peer, { socket, timer, unreadBytes: 0 });
    socket.once('close', () => {
      // Its address may be that of another one meanwhile.
      if (this.known.get(peer)?.socket === socket) this.forget(peer);
    });
    this.makeRoom();
  }

  /** Whether it is one, after this much more of a request has arrived. */
  hear(socket: Socket, bytes: number): boolean {
    const stranger = this.known.get(peerOf(socket) ?? '');
    if (stranger === undefined) return false;
    stranger.unreadBytes += bytes;
    this.bytes += bytes;
    this.makeRoom();
    return true;
  }

  /** A request of it is complete. */
  read(socket: Socket): void {
    const stranger = this.known.get(peerOf(socket) ?? '');
    if (stranger === undefined) return;
    this.bytes -= stranger.unreadBytes;
    stranger.unreadBytes = 0;
  }

  /** It may speak. */
  trust(socket: Socket): void {
    this.forget(peerOf(socket) ?? '');
  }

  private forget(peer: string): void {
    const stranger = this.known.get(peer);
    if (stranger === undefined) return;
    clearTimeout(stranger.timer);
    this.bytes -= stranger.unreadBytes;
    this.known.delete(peer);
  }

  private makeRoom(): void {
    for (const [peer, { socket, unreadBytes }] of this.known) {
      const isTooMany = this.known.size > this.limits.count;
      if (!isTooMany && this.bytes <= this.limits.bytes) return;
      if (!isTooMany && unreadBytes === 0) continue;
      this.forget(peer);
      socket.destroy();
    }
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remotePort === undefined ? undefined : `${remoteAddress}:${remotePort}`;
}
