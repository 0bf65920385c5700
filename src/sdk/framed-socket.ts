import type { Socket } from 'node:net';
import { JsonSocket } from '@nestjs/microservices';

/** Idle time after which the kernel asks whether the peer's machine is still there. */
const KEEP_ALIVE_AFTER_MS = 10_000;

/** Bounds of one connection. */
export interface FramedSocketLimits {
  /** Longest frame that may arrive, in UTF-16 code units (that is how Nest counts). */
  maxFrameChars: number;
  /** Frames that may wait for a peer that does not read; beyond it the connection is destroyed. */
  maxSendBufferBytes: number;
  /** A frame that makes no progress for this long ends the connection. */
  incompleteFrameTimeoutMs: number;
}

/**
 * Nest's TCP framing (`<length>#<json>`) with NODELAY and keep-alive, one write per loop turn, and without Nest's habit
 * of not reading while its own writes wait: with both ends doing that, two full buffers wait for each other for ever.
 */
export class FramedSocket extends JsonSocket {
  private isCorked = false;

  constructor(
    socket: Socket,
    private readonly limits: FramedSocketLimits,
  ) {
    super(socket, {
      maxBufferSize: limits.maxFrameChars,
      maxSendBufferSize: limits.maxSendBufferBytes,
      incompleteMessageTimeout: limits.incompleteFrameTimeoutMs,
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
  }

  /** Writes one frame that is JSON already. */
  writeFrame(json: string, callback?: (error?: Error | null) => void): void {
    const { socket } = this;
    if (!this.isCorked) {
      this.isCorked = true;
      socket.cork();
      process.nextTick(() => {
        this.isCorked = false;
        socket.uncork();
      });
    }
    socket.write(`${json.length}#${json}`, 'utf8', callback);
    if (socket.writableLength > this.limits.maxSendBufferBytes) {
      this.handleDataError(new Error(`${socket.writableLength} bytes wait for a peer that does not read`), {
        destroy: true,
      });
    }
  }

  protected override handleSend(message: unknown, callback?: (error?: Error | null) => void): void {
    this.writeFrame(JSON.stringify(message), callback);
  }
}

/** The class that Nest's TCP options ask for (`socketClass`): it is constructed with the socket alone. */
export function framedSocketClass(limits: FramedSocketLimits): new (socket: Socket) => FramedSocket {
  return class extends FramedSocket {
    constructor(socket: Socket) {
      super(socket, limits);
    }
  };
}
