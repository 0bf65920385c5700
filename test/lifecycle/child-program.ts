import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { dieWithUs } from '../support/die-with-us.js';
import { eventually } from '../support/eventually.js';

/** The build that forked programs run; `npm test` makes it, another one can be named while working. */
export const distDir = process.env.DIST_DIR ?? join(__dirname, '../../dist');

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A Node program in a process of its own, which gets real signals and really exits. */
export class ChildProgram {
  private printed = '';
  private readonly exit: Promise<Exit>;
  private over = false;

  private constructor(private readonly child: ChildProcess) {
    const remember = (chunk: Buffer) => {
      this.printed += chunk.toString();
    };
    child.stdout!.on('data', remember);
    child.stderr!.on('data', remember);
    const release = dieWithUs(child.pid!);
    this.exit = new Promise((resolve, reject) => {
      child.once('error', reject);
      // 'close', not 'exit': by then everything it printed has been read.
      child.once('close', (code, signal) => {
        this.over = true;
        release();
        resolve({ code, signal });
      });
    });
  }

  /** Runs a .cjs file with this environment (on top of PATH), behind another program if one is given. */
  static start(file: string, environment: Record<string, string> = {}, behind: string[] = []): ChildProgram {
    const [program, ...args] = [...behind, process.execPath, file];
    return new ChildProgram(
      spawn(program, args, {
        env: { PATH: process.env.PATH, DIST_DIR: distDir, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** All it printed, colours taken out. */
  output(): string {
    // eslint-disable-next-line no-control-regex
    return this.printed.replace(/\x1b\[[0-9;]*m/g, '');
  }

  /** Resolves when this appears in the output; rejects with the output when it does not, or the program ended before. */
  async printedLine(pattern: RegExp, timeoutMs = 40_000): Promise<RegExpMatchArray> {
    const found = await eventually(
      () => {
        const match = this.output().match(pattern);
        if (match !== null) return { match };
        if (this.over) return { match: null };
        return false;
      },
      { timeoutMs, what: String(pattern) },
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.output()}`);
    });
    if (found.match === null) throw new Error(`it ended without printing ${String(pattern)}:\n${this.output()}`);
    return found.match;
  }

  /** Closes this end of its output, as a log collector that died does. */
  stopReading(): void {
    this.child.stdout!.destroy();
    this.child.stderr!.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** How it exited; rejects with the output when it has not after `timeoutMs`, and takes it down. */
  async exited(timeoutMs: number): Promise<Exit> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        this.child.kill('SIGKILL');
        reject(new Error(`it has not exited after ${timeoutMs} ms:\n${this.output()}`));
      }, timeoutMs);
    });
    try {
      return await Promise.race([this.exit, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Takes it down if it still runs. */
  async stop(): Promise<void> {
    if (!this.over) this.child.kill('SIGKILL');
    await this.exit;
  }
}
