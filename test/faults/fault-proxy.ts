import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Where connections go on to. */
export interface Address {
  host: string;
  port: number;
}

interface Pair {
  near: Socket;
  far: Socket;
  /** Nothing goes through any more, in either direction, and nobody is told. */
  isDead: boolean;
}

/**
 * Stands between two real processes on a real TCP connection and does to it what networks do. What is changed holds for what passes
 * from then on; a connection that was made dead stays dead.
 */
export class FaultProxy {
  /** What each chunk waits for on its way, ms, in either direction. */
  delayMs = 0;
  /** Turns what the far side answers into something else. */
  rewrite: ((chunk: Buffer) => Buffer) | undefined;
  /** Connections accepted since the start. */
  acceptedCount = 0;
  private readonly pairs = new Set<Pair>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private isBlackhole = false;

  private constructor(
    private readonly server: Server,
    private readonly to: Address,
  ) {
    server.on('connection', (near) => this.accept(near));
  }

  /** @param listen where; port 0 for a free one */
  static async start(to: Address, listen: Address = { host: '127.0.0.1', port: 0 }): Promise<FaultProxy> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(listen.port, listen.host, resolve);
    });
    return new FaultProxy(server, to);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get openCount(): number {
    return this.pairs.size;
  }

  /** Half-open: connections, and those to come, stay open and carry nothing. They stay like that for ever. */
  blackhole(): void {
    this.isBlackhole = true;
    for (const pair of this.pairs) pair.isDead = true;
  }

  /** New connections carry again. */
  heal(): void {
    this.isBlackhole = false;
    this.delayMs = 0;
    this.rewrite = undefined;
  }

  /** RST on both sides of every connection. */
  reset(): void {
    for (const { near, far } of this.pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const timer of this.timers) clearTimeout(timer);
    for (const { near, far } of this.pairs) {
      near.destroy();
      far.destroy();
    }
    await closed;
  }

  private accept(near: Socket): void {
    this.acceptedCount += 1;
    const far = connect({ ...this.to, noDelay: true });
    const pair: Pair = { near, far, isDead: this.isBlackhole };
    this.pairs.add(pair);
    this.carry(pair, near, far, (chunk) => chunk);
    this.carry(pair, far, near, (chunk) => this.rewrite?.(chunk) ?? chunk);
    for (const socket of [near, far]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (near.destroyed && far.destroyed) this.pairs.delete(pair);
      });
    }
  }

  private carry(pair: Pair, from: Socket, to: Socket, change: (chunk: Buffer) => Buffer): void {
    // In order: what comes later never overtakes, whatever the delay has become meanwhile.
    const onTheWay: (() => void)[] = [];
    const later = (pass: () => void) => {
      if (this.delayMs === 0 && onTheWay.length === 0) return this.pass(pair, pass);
      onTheWay.push(pass);
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        this.pass(pair, onTheWay.shift()!);
      }, this.delayMs);
      this.timers.add(timer);
    };
    from.on('data', (chunk: Buffer) =>
      later(() => {
        if (to.destroyed || to.write(change(chunk))) return;
        from.pause();
        to.once('drain', () => from.resume());
      }),
    );
    from.on('end', () => later(() => to.end()));
    from.on('close', () => later(() => to.destroy()));
  }

  private pass(pair: Pair, pass: () => void): void {
    if (!pair.isDead) pass();
    // Whoever gave a dead connection up has closed its side; the other one learns nothing until it looks.
    else if (pair.near.destroyed || pair.far.destroyed) this.bury(pair);
  }

  private bury(pair: Pair): void {
    pair.near.destroy();
    pair.far.destroy();
  }
}
