import type { CommanderSocket } from './commander-socket.js';

/** Accepted connections that are still open, with one timer that watches the times of all of them. */
export class Connections {
  private readonly open = new Set<CommanderSocket>();
  private readonly emptyWaiters = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;

  /** @param checkEveryMs how late a timeout may be noticed */
  constructor(private readonly checkEveryMs: number) {}

  get count(): number {
    return this.open.size;
  }

  /** Code units of requests that are incomplete or not served yet, of all of them. */
  get unreadLength(): number {
    let total = 0;
    for (const socket of this.open) total += socket.unreadLength;
    return total;
  }

  /** Bytes of replies that the peers have not taken yet, of all of them. */
  get unsentBytes(): number {
    let total = 0;
    for (const socket of this.open) total += socket.unsentBytes;
    return total;
  }

  add(socket: CommanderSocket): void {
    this.open.add(socket);
    this.timer ??= setInterval(() => this.check(), this.checkEveryMs).unref();
  }

  remove(socket: CommanderSocket): void {
    this.open.delete(socket);
    if (this.open.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
    for (const wake of this.emptyWaiters) wake();
  }

  endGracefully(): void {
    for (const socket of [...this.open]) socket.endGracefully();
  }

  destroy(): void {
    for (const socket of [...this.open]) socket.destroy();
  }

  /** Resolves when no connection is open any more, or after `timeoutMs`. */
  async empty(timeoutMs: number): Promise<void> {
    if (this.open.size === 0) return;
    await new Promise<void>((resolve) => {
      const settle = () => {
        clearTimeout(timer);
        this.emptyWaiters.delete(settle);
        resolve();
      };
      const timer = setTimeout(settle, timeoutMs);
      this.emptyWaiters.add(settle);
    });
  }

  private check(): void {
    const now = performance.now();
    for (const socket of [...this.open]) socket.checkTimes(now);
  }
}
