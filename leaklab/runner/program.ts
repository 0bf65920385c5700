import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dieWithUs } from '../../test/support/die-with-us.js';
import { eventually } from '../../test/support/eventually.js';
import { MemoryCgroup } from '../../test/support/pod/memory-cgroup.js';

const READY_MS = 60_000;
const OUTPUT_CHARS = 64 * 1024;

export interface ProgramOptions {
  readonly name: string;
  readonly file: string;
  readonly checkout: string;
  /** What Node preloads, in order. */
  readonly preload: readonly string[];
  readonly env: Record<string, string>;
  readonly memoryBytes: number;
  /** Whether it serves diagnostics whose port we want. */
  readonly diagnostics: boolean;
}

/** One scenario in a process of its own, under a real memory limit where this machine lets us set one. */
export class Program {
  /** Port its service listens on. */
  port = 0;
  diagnosticsPort = 0;
  /** When it ended by itself, by `performance.now()`. */
  endedMs: number | null = null;
  private output = '';
  private stopping = false;

  private constructor(
    private readonly child: ChildProcess,
    /** Null where this machine has no memory controller for us. */
    readonly cgroup: MemoryCgroup | null,
    private readonly directory: string,
  ) {}

  /** Resolves when it listens. @throws Error with its output */
  static async start(options: ProgramOptions): Promise<Program> {
    const directory = mkdtempSync(join(tmpdir(), 'leaklab-'));
    const cgroup = limited(options.name, options.memoryBytes);
    const portFile = join(directory, 'port');
    const node = [process.execPath, ...options.preload.flatMap((file) => ['--require', file]), options.file];
    const command = cgroup ? ['sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', cgroup.directory, ...node] : node;
    const child = spawn(command[0], command.slice(1), {
      cwd: options.checkout,
      env: {
        ...process.env,
        NODE_PATH: join(options.checkout, 'node_modules'),
        ...options.env,
        ...(options.diagnostics ? { MU_DIAGNOSTICS_PORT: '0', MU_DIAGNOSTICS_PORT_FILE: portFile } : {}),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: what it leaves running is ended with it.
      detached: true,
    });
    const release = dieWithUs(-(child.pid ?? 0));
    const program = new Program(child, cgroup, directory);
    child.once('exit', () => {
      release();
      if (!program.stopping) program.endedMs = performance.now();
    });
    try {
      await program.listening(options.diagnostics ? portFile : null);
      return program;
    } catch (error) {
      await program.stop();
      throw error;
    }
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get log(): string {
    return this.output;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Kills it with all it has started. */
  async stop(): Promise<void> {
    this.stopping = true;
    const exited = this.hasExited ? null : once(this.child, 'exit');
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Nothing of it is left.
    }
    await exited;
    this.killCgroup();
    await this.cgroup?.remove();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private get hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  private async listening(portFile: string | null): Promise<void> {
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk) => (this.output = (this.output + String(chunk)).slice(-OUTPUT_CHARS)));
    }
    const what = `"listening <port>" from ${this.child.spawnargs.at(-1)}`;
    await eventually(
      () => {
        if (this.hasExited) throw new Error(`it ended:\n${this.output}`);
        this.port = Number(/^listening (\d+)$/m.exec(this.output)?.[1]);
        if (!this.port) return false;
        if (portFile === null) return true;
        this.diagnosticsPort = existsSync(portFile) ? Number(readFileSync(portFile, 'utf8')) : 0;
        return this.diagnosticsPort > 0;
      },
      { timeoutMs: READY_MS, what },
    );
  }

  private killCgroup(): void {
    if (!this.cgroup) return;
    for (const pid of readFileSync(join(this.cgroup.directory, 'cgroup.procs'), 'utf8').split('\n')) {
      try {
        if (pid) process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It ended meanwhile.
      }
    }
  }
}

function limited(name: string, bytes: number): MemoryCgroup | null {
  try {
    return MemoryCgroup.create(`leaklab-${name}`, bytes);
  } catch {
    return null;
  }
}
