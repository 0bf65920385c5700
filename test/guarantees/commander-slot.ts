import { join } from 'node:path';
import { CommanderClient } from '../../src/sdk/commander-client.js';
import { BuiltApp, type Exit } from '../support/built-app.js';
import { forgetClock, type ProcessClock, skewedProcess } from './process-clock.js';

/** One replica of commander at one address, and the processes that play it one after the other. */
export class CommanderSlot {
  private app: BuiltApp | undefined;
  private lastOutput = '';
  isFrozen = false;
  readonly client: CommanderClient;

  constructor(
    readonly port: number,
    private readonly redisUrl: string,
    private readonly distDir: string,
    private readonly env: Record<string, string>,
  ) {
    this.client = new CommanderClient({ port, requestTimeoutMs: 5_000 });
  }

  get isRunning(): boolean {
    return this.app !== undefined;
  }

  get pid(): number | undefined {
    return this.app?.pid;
  }

  /** What its processes printed lately. */
  output(): string {
    return this.lastOutput + (this.app?.output() ?? '');
  }

  /** Resolves when it serves. @param clock how wrong its clock is, ms, or how its process gets one */
  async start(clock: number | ProcessClock): Promise<void> {
    const { nodeArgs, env } = typeof clock === 'number' ? skewedProcess(clock) : clock;
    this.app = await BuiltApp.start({
      redisUrl: this.redisUrl,
      entry: join(this.distDir, 'main.js'),
      nodeArgs,
      env: { ...this.env, ...env, TCP_PORT: String(this.port) },
      readyTimeoutMs: 60_000,
    });
  }

  /** SIGTERM; resolves when it is gone. */
  async terminate(): Promise<Exit | undefined> {
    const exit = await this.app?.stop();
    this.forget();
    return exit;
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.app?.kill();
    this.forget();
  }

  /** SIGSTOP: its connections stay open, nothing is answered. */
  freeze(): void {
    this.isFrozen = true;
    this.app?.signal('SIGSTOP');
  }

  /** Undoes `freeze()`. */
  thaw(): void {
    this.app?.signal('SIGCONT');
    this.isFrozen = false;
  }

  async stop(): Promise<void> {
    await this.client.close();
    await this.app?.stop();
    this.forget();
  }

  private forget(): void {
    if (this.app !== undefined) forgetClock(this.app.pid);
    this.lastOutput = this.output().slice(-262_144);
    this.app = undefined;
    this.isFrozen = false;
  }
}
