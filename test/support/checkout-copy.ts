import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dieWithUs } from './die-with-us.js';
import { eventually } from './eventually.js';

const checkout = join(__dirname, '../..');

export interface CheckoutCopyOptions {
  /** Replaces src/ (but the page) by this one file as src/main.ts. Without it src/ and dist/ are those of this checkout. */
  mainFile?: string;
}

/** A temporary copy of this checkout without its .data; node_modules is the one of this checkout. */
export class CheckoutCopy {
  readonly path = mkdtempSync(join(tmpdir(), 'commander-checkout-'));
  private readonly scripts: RunningScript[] = [];

  constructor({ mainFile }: CheckoutCopyOptions = {}) {
    const shared = [
      'scripts',
      'package.json',
      'package-lock.json',
      'tsconfig.json',
      'tsconfig.build.json',
      'nest-cli.json',
    ];
    for (const name of [...shared, ...(mainFile ? [] : ['src', 'dist'])]) {
      cpSync(join(checkout, name), this.file(name), { recursive: true });
    }
    if (mainFile) {
      mkdirSync(this.file('src'));
      cpSync(mainFile, this.file('src/main.ts'));
      // The build bundles it whatever the program is, with what it takes from the contract.
      for (const name of ['src/page', 'src/contract/amount-text.ts']) {
        cpSync(join(checkout, name), this.file(name), { recursive: true });
      }
    }
    symlinkSync(join(checkout, 'node_modules'), this.file('node_modules'));
  }

  file(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  /** Runs a script of the copy with plain Node, in a process group of its own like a shell does. */
  run(script: string, env: NodeJS.ProcessEnv = {}, ...args: string[]): RunningScript {
    return this.launch([process.execPath, this.file(script), ...args], env);
  }

  /** Runs `npm <args>` in the copy, as a person does. */
  npm(args: string[], env: NodeJS.ProcessEnv = {}): RunningScript {
    return this.launch(['npm', ...args], env);
  }

  private launch(command: string[], env: NodeJS.ProcessEnv): RunningScript {
    const running = new RunningScript(command, this.path, env);
    this.scripts.push(running);
    return running;
  }

  /** Kills what still runs and removes the copy. */
  async dispose(): Promise<void> {
    for (const script of this.scripts) script.signalGroup('SIGKILL');
    await Promise.all(this.scripts.map((script) => script.exited));
    rmSync(this.path, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** A script under way: what it printed so far and how it ended. */
export class RunningScript {
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly pid: number;
  private text = '';
  private hasExited = false;

  constructor([command, ...args]: string[], cwd: string, env: NodeJS.ProcessEnv) {
    // The surroundings of the test run (npm's settings, a Redis somewhere) are not those of a person who types `npm start`.
    const { REDIS_URL: _url, REDIS_MODE: _mode, npm_execpath: _npm, ...surroundings } = process.env;
    const child = spawn(command!, args, {
      cwd,
      env: { ...surroundings, TCP_PORT: '0', HTTP_PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.pid = child.pid!;
    const release = dieWithUs(this.pid);
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (this.text += chunk));
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.hasExited = true;
        release();
        resolve({ code, signal });
      });
    });
  }

  output(): string {
    return this.text;
  }

  /** To this process alone, as `kill` does. */
  signal(signal: NodeJS.Signals): void {
    if (!this.hasExited) process.kill(this.pid, signal);
  }

  /** To its whole process group, as Ctrl-C in a terminal does. What it started may outlive it there, e.g. a compiler. */
  signalGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** Waits until the output matches; fails at once, with the output, when the script ends before. */
  async prints(pattern: RegExp, timeoutMs = 120_000): Promise<RegExpExecArray> {
    let match: RegExpExecArray | null = null;
    await eventually(
      () => {
        match = pattern.exec(this.text);
        if (match === null && !this.hasExited) throw new Error(`so far it printed:\n${this.text}`);
      },
      { timeoutMs, what: `output ${pattern}` },
    );
    if (!match) throw new Error(`ended without printing ${pattern}:\n${this.text}`);
    return match;
  }
}
