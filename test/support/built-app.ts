import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dieWithUs } from './die-with-us.js';

const READY_TIMEOUT_MS = 50_000;
const STOP_TIMEOUT_MS = 30_000;
const OUTPUT_LIMIT = 4 * 1024 * 1024;

export interface BuiltAppOptions {
  redisUrl: string;
  /** Settings on top of TCP_PORT=0, HTTP_PORT=0 and REDIS_URL. */
  env?: Record<string, string>;
  /** Flags of node itself, e.g. `['--expose-gc']`. */
  nodeArgs?: string[];
  /** Arguments of the app, which knows none. */
  appArgs?: string[];
  /** Run it as process 1 of a PID namespace (`unshare -pf`, needs root), as a container does. */
  asPid1?: boolean;
  /** The program; default `dist/main.js` of this checkout. */
  entry?: string;
  /** How long until the ready message. Default 50 s. */
  readyTimeoutMs?: number;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

interface Address {
  host: string;
  port: number;
}

/**
 * The built app as a process of its own, for everything a test in the same process could not tell: signals, exit codes, kills.
 * It dies with the test run, whatever happens to that.
 */
export class BuiltApp {
  private hasExited = false;
  private text = '';
  private tcp: Address = { host: '', port: 0 };
  private http: Address = { host: '', port: 0 };
  private appPid: number;
  /** Resolves, never rejects, when the process is gone and all it printed has been read. */
  readonly exited: Promise<Exit>;

  private constructor(private readonly child: ChildProcess) {
    this.appPid = child.pid!;
    const release = dieWithUs(this.appPid);
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (chunk: Buffer) => (this.text = (this.text + chunk.toString()).slice(-OUTPUT_LIMIT)));
    }
    const ended = new Promise<Exit>((resolve) => {
      child.once('exit', (code, signal) => {
        this.hasExited = true;
        release();
        resolve({ code, signal });
      });
    });
    // Not the 'close' event: Node never emits it once this side has disconnected the channel.
    const readToEnd = [child.stdout!, child.stderr!].map(
      (stream) => new Promise((resolve) => stream.once('close', resolve)),
    );
    this.exited = Promise.all([ended, ...readToEnd]).then(([exit]) => exit);
  }

  /** Resolves when the app reports that it serves; rejects with its output when it ends before or takes too long. */
  static async start(options: BuiltAppOptions): Promise<BuiltApp> {
    const app = BuiltApp.launch(options);
    const timeoutMs = options.readyTimeoutMs ?? READY_TIMEOUT_MS;
    let timer: NodeJS.Timeout | undefined;
    try {
      await Promise.race([
        app.ready(),
        app.exited.then(({ code, signal }) => {
          throw new Error(`the app ended before it was ready (${signal ?? `exit code ${code}`}):\n${app.output()}`);
        }),
        new Promise((_, reject) => {
          const late = (): void => reject(new Error(`the app was not ready within ${timeoutMs} ms:\n${app.output()}`));
          timer = setTimeout(late, timeoutMs);
        }),
      ]);
      return app;
    } catch (error) {
      app.signal('SIGKILL');
      await app.exited;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Starts it without waiting for anything: for tests of starts that fail or hang. Ports are 0 until it is ready. */
  static launch(options: BuiltAppOptions): BuiltApp {
    const entry = options.entry ?? join(__dirname, '../../dist/main.js');
    if (!existsSync(entry))
      throw new Error(`${entry} does not exist: \`npm test\` builds it, and so does \`npm run build\``);
    const node = [process.execPath, ...(options.nodeArgs ?? []), entry, ...(options.appArgs ?? [])];
    const [command, ...args] = options.asPid1 ? ['unshare', '-pf', '--kill-child=SIGKILL', ...node] : node;
    const child = spawn(command!, args, {
      env: { ...process.env, TCP_PORT: '0', HTTP_PORT: '0', REDIS_URL: options.redisUrl, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    return new BuiltApp(child);
  }

  /** Process id of the app as this process sees it (also when the app sees itself as process 1). */
  get pid(): number {
    return this.appPid;
  }

  get tcpPort(): number {
    return this.tcp.port;
  }

  get httpPort(): number {
    return this.http.port;
  }

  /** `http://127.0.0.1:port`, without a slash at the end. */
  get httpUrl(): string {
    return `http://${this.http.host}:${this.http.port}`;
  }

  /** Everything it printed so far (the last 4 MiB), stdout and stderr in order of arrival. */
  output(): string {
    return this.text;
  }

  /** The lines of its log that are JSON objects, parsed. */
  logLines(): Record<string, unknown>[] {
    return this.text.split('\n').flatMap((line) => {
      if (!line.startsWith('{')) return [];
      try {
        return [JSON.parse(line) as Record<string, unknown>];
      } catch {
        return [];
      }
    });
  }

  /** Sends a signal to the app; does nothing when it is gone. */
  signal(signal: NodeJS.Signals): void {
    if (this.hasExited) return;
    try {
      process.kill(this.appPid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<Exit> {
    this.signal('SIGKILL');
    return this.exited;
  }

  /** SIGTERM (after SIGCONT, should it be frozen), SIGKILL after 30 s; resolves when it is gone. Idempotent. */
  async stop(): Promise<Exit> {
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), STOP_TIMEOUT_MS);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  private async ready(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.child.on('message', (message: { type?: string; tcp: Address; http: Address }) => {
        if (message.type !== 'ready') return;
        this.tcp = message.tcp;
        this.http = message.http;
        resolve();
      });
    });
    this.appPid = innermostChild(this.appPid);
    // The start script lets go of the channel as well; left open it would be a handle that production does not have.
    if (this.child.connected) this.child.disconnect();
  }
}

/** Under `unshare` the app is the child of the process that we started. */
function innermostChild(pid: number): number {
  if (!readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('unshare')) return pid;
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return child ? Number(child) : pid;
}
