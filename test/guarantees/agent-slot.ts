import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { CommanderAgentOptions } from '../../src/sdk/commander-agent.options.js';
import { dieWithUs } from '../support/die-with-us.js';
import { forgetClock, skewedProcess } from './process-clock.js';

const READY_TIMEOUT_MS = 60_000;

/** One agent, and the processes that play it one after the other: each is killed and replaced for real. */
export class AgentSlot {
  private child: ChildProcess | undefined;
  private gone: Promise<void> = Promise.resolve();
  private printed = '';

  constructor(
    private readonly options: CommanderAgentOptions & { agentId: string },
    private readonly distDir: string,
    private readonly logFile: string,
  ) {}

  get agentId(): string {
    return this.options.agentId;
  }

  get isRunning(): boolean {
    return this.child !== undefined;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** What its processes printed (the last 64 KiB). */
  output(): string {
    return this.printed;
  }

  /** Resolves when it listens, or when it was killed before. */
  async start(clockSkewMs: number): Promise<void> {
    await this.gone;
    const { nodeArgs, env } = skewedProcess(clockSkewMs);
    const child = spawn(process.execPath, [...nodeArgs, join(__dirname, 'agent-process.cjs')], {
      env: {
        PATH: process.env.PATH,
        ...env,
        DIST_DIR: this.distDir,
        AGENT_LOG: this.logFile,
        AGENT_OPTIONS: JSON.stringify(this.options),
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const remember = (chunk: Buffer) => (this.printed = (this.printed + chunk.toString()).slice(-65_536));
    child.stdout!.on('data', remember);
    child.stderr!.on('data', remember);
    const release = dieWithUs(child.pid!);
    this.child = child;
    this.gone = new Promise((resolve) =>
      child.once('exit', () => {
        release();
        forgetClock(child.pid!);
        if (this.child === child) this.child = undefined;
        resolve();
      }),
    );
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      new Promise((resolve) => child.once('message', resolve)),
      this.gone,
      new Promise((_resolve, reject) => {
        const late = () => reject(new Error(`agent ${this.agentId} does not start:\n${this.printed}`));
        timer = setTimeout(late, READY_TIMEOUT_MS);
      }),
    ]).finally(() => clearTimeout(timer));
    if (child.connected) child.disconnect();
  }

  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.gone;
  }
}
