import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { CommanderAgentOptions } from '../../../src/sdk/agent.js';
import { dieWithUs } from '../../support/die-with-us.js';
import { eventually } from '../../support/eventually.js';

export interface AgentEvent {
  event: string;
  runId?: string;
  code?: string;
  port?: number;
  resources?: string[];
}

/** fixtures/agent-process.ts as a real process. */
export class AgentProcess {
  readonly events: AgentEvent[] = [];
  output = '';
  /** Resolves when it is gone. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  hasExited = false;

  private constructor(readonly child: ChildProcess) {
    const release = dieWithUs(child.pid!);
    child.on('message', (event) => this.events.push(event as AgentEvent));
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => (this.output += String(chunk)));
    this.exited = new Promise((resolve) =>
      child.once('exit', (code, signal) => {
        this.hasExited = true;
        release();
        resolve({ code, signal });
      }),
    );
  }

  static async start(options: CommanderAgentOptions): Promise<AgentProcess> {
    const root = join(__dirname, '../../..');
    const child = fork(join(root, 'test/sdk/fixtures/agent-process.ts'), {
      execArgv: ['--require', join(root, 'scripts/lib/register-typescript.cjs')],
      env: { ...process.env, AGENT_OPTIONS: JSON.stringify(options) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const agent = new AgentProcess(child);
    await agent.saw('listening');
    return agent;
  }

  get port(): number {
    return this.events.find(({ event }) => event === 'listening')!.port!;
  }

  /** Waits for an event (of a run). */
  saw(event: string, runId?: string): Promise<AgentEvent> {
    return eventually(
      () => this.events.find((seen) => seen.event === event && (runId === undefined || seen.runId === runId)) ?? false,
      { timeoutMs: 25_000, what: `${event} ${runId ?? ''}\n${this.output}` },
    );
  }

  kill(): void {
    if (!this.hasExited) this.child.kill('SIGKILL');
  }
}
