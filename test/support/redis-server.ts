import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { dieWithUs } from './die-with-us.js';
import { freePort } from './free-port.js';

const run = promisify(execFile);

const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 5_000;
const LISTENING = /Ready to accept connections|Sentinel ID is/;

export interface RedisServerOptions {
  /** Loopback port; a free one when absent. */
  port?: number;
  /** AOF on (fsync every second): data survives `restart()`. Default off. */
  appendOnly?: boolean;
  /** `requirepass`; `url` and `cli()` carry it. */
  password?: string;
  /** Serve TLS only, with these PEM files; `url` is then `rediss://`. */
  tls?: { certFile: string; keyFile: string; caFile: string };
  /** Run as Sentinel with these config lines, e.g. `sentinel monitor mymaster 127.0.0.1 6379 1`. */
  sentinel?: string[];
  /** Further arguments as on the command line, e.g. `['--cluster-enabled', 'yes']`. */
  args?: string[];
}

/**
 * A real redis-server on a loopback port with its own temporary data directory.
 * It dies with the process that started it, whatever happens to that process.
 */
export class RedisServer {
  private child: ChildProcess | undefined;
  private exited: Promise<void> = Promise.resolve();
  private log = '';
  private stopped: Promise<void> | undefined;

  private constructor(
    private readonly options: RedisServerOptions,
    /** Loopback port it listens on; stays the same over `restart()`. */
    readonly port: number,
    /** Data directory; removed by `stop()`. */
    readonly dataDir: string,
  ) {}

  /** Resolves when the server answers PING; rejects with its log when it does not come up. */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    // Between finding a free port and Redis binding it somebody else may take it: then try another one.
    for (let attemptsLeft = 5; ; attemptsLeft--) {
      const dataDir = await mkdtemp(join(tmpdir(), 'commander-redis-'));
      const server = new RedisServer(options, options.port ?? (await freePort()), dataDir);
      try {
        await server.launch();
        return server;
      } catch (error) {
        await server.stop();
        const portTaken = /in use/i.test(server.log);
        if (!portTaken || options.port !== undefined || attemptsLeft <= 1) throw error;
      }
    }
  }

  /** `redis://…` or `rediss://…`, ready for REDIS_URL. */
  get url(): string {
    const auth = this.options.password === undefined ? '' : `:${encodeURIComponent(this.options.password)}@`;
    return `${this.options.tls ? 'rediss' : 'redis'}://${auth}127.0.0.1:${this.port}`;
  }

  /** Process id while it runs (also while frozen). */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** What the server printed since its last start (the last 64 KiB). */
  output(): string {
    return this.log;
  }

  /** SIGSTOP: connections stay open and the kernel accepts new ones, but nothing is answered. */
  freeze(): void {
    this.signal('SIGSTOP');
  }

  /** Undoes `freeze()`. */
  thaw(): void {
    this.signal('SIGCONT');
  }

  /** SIGKILL; resolves when the process is gone. The data directory stays, so `restart()` brings it back. */
  async kill(): Promise<void> {
    this.child?.kill('SIGKILL');
    await this.exited;
  }

  /** Ends the process if it runs (gracefully) and starts it on the same port and data directory. */
  async restart(): Promise<void> {
    if (this.stopped) throw new Error('this RedisServer was stopped: its data directory is gone');
    await this.end();
    await this.launch();
  }

  /** Ends the process (thaws it, SIGTERM, SIGKILL after a deadline) and removes the data directory. Idempotent. */
  stop(): Promise<void> {
    this.stopped ??= this.end().then(() => rm(this.dataDir, { recursive: true, force: true }));
    return this.stopped;
  }

  /** Runs redis-cli against this server and returns what it printed, trimmed. An error reply rejects. */
  async cli(...args: string[]): Promise<string> {
    const { password, tls } = this.options;
    const connection = [
      '-h',
      '127.0.0.1',
      '-p',
      String(this.port),
      ...(password === undefined ? [] : ['-a', password, '--no-auth-warning']),
      ...(tls ? ['--tls', '--cacert', tls.caFile] : []),
    ];
    const { stdout } = await run('redis-cli', [...connection, '-e', ...args], {
      timeout: 15_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout.trim();
  }

  private async launch(): Promise<void> {
    this.log = '';
    const child = spawn('redis-server', await this.commandLine(), { stdio: ['ignore', 'pipe', 'pipe'] });
    const remember = (chunk: Buffer): void => {
      this.log = (this.log + chunk.toString()).slice(-64 * 1024);
    };
    child.stdout.on('data', remember);
    child.stderr.on('data', remember);
    const isListening = (): boolean => LISTENING.test(this.log);
    let gone = false;
    const release = child.pid === undefined ? () => undefined : dieWithUs(child.pid);
    this.child = child;
    this.exited = new Promise((resolve) => {
      const onGone = (error?: Error): void => {
        if (error) this.log += `\n${error.message}`;
        gone = true;
        release();
        if (this.child === child) this.child = undefined;
        resolve();
      };
      child.once('error', onGone);
      // 'close', not 'exit': by then everything it printed has been read.
      child.once('close', () => onGone());
    });

    const deadlineAt = performance.now() + READY_TIMEOUT_MS;
    // Its own word first: on a port that it could not bind, a foreign server would answer the PING.
    while (!(isListening() && (await this.answers()))) {
      if (gone) throw new Error(`redis-server on port ${this.port} ended while starting:\n${this.log}`);
      if (performance.now() > deadlineAt) {
        throw new Error(`redis-server on port ${this.port} does not answer:\n${this.log}`);
      }
      await sleep(15);
    }
  }

  private async commandLine(): Promise<string[]> {
    const { appendOnly, password, tls, sentinel, args = [] } = this.options;
    const common = [
      ...['--bind', '127.0.0.1', '--daemonize', 'no', '--dir', this.dataDir],
      ...(tls
        ? ['--port', '0', '--tls-port', String(this.port), '--tls-auth-clients', 'no']
        : ['--port', String(this.port)]),
      ...(tls
        ? ['--tls-cert-file', tls.certFile, '--tls-key-file', tls.keyFile, '--tls-ca-cert-file', tls.caFile]
        : []),
      ...(password === undefined ? [] : ['--requirepass', password]),
    ];
    if (!sentinel) {
      return [...common, '--save', '', '--appendonly', appendOnly ? 'yes' : 'no', ...args];
    }
    // Sentinel rewrites its config file as it learns, so it needs a real one.
    const file = join(this.dataDir, 'sentinel.conf');
    await writeFile(file, `${sentinel.join('\n')}\n`);
    return [file, '--sentinel', ...common, ...args];
  }

  private async end(): Promise<void> {
    if (!this.child) return this.exited;
    this.thaw();
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child?.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.exited;
    clearTimeout(timer);
  }

  private signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  /** One PING on a fresh connection. Asking for the password is an answer too. */
  private answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket: Socket = this.options.tls
        ? connectTls({ host: '127.0.0.1', port: this.port, rejectUnauthorized: false })
        : connectTcp({ host: '127.0.0.1', port: this.port });
      const settle = (answer: boolean): void => {
        socket.destroy();
        resolve(answer);
      };
      socket.setTimeout(1_000, () => settle(false));
      socket.once('error', () => settle(false));
      socket.once('close', () => resolve(false));
      socket.once('data', (data) => settle(/^(\+PONG|-NOAUTH)/.test(data.toString())));
      socket.write('PING\r\n');
    });
  }
}
