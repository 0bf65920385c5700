import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { dieWithUs } from '../../support/die-with-us.js';

/** What the peer says it would still wait; an answer that comes later is DEADLINE_EXCEEDED. */
const DEADLINE_MS = 5_000;

/** What an honest peer saw. */
export interface HonestReport {
  /** Error codes it got, or that its connection was closed. */
  troubles: string[];
  /** How long its answers took. */
  latenciesMs: number[];
}

/**
 * A peer that behaves: asks one thing after the other on one connection, for as long as others attack. Each of its requests
 * must get its answer, out of Redis, before its deadline.
 */
export class HonestPeer {
  private constructor(private readonly child: ChildProcess) {}

  /** Resolves when it is connected. */
  static async start(port: number, token = ''): Promise<HonestPeer> {
    const child = fork(join(__dirname, 'honest-peer-process.cjs'), {
      env: { HONEST_PORT: String(port), HONEST_TOKEN: token, HONEST_DEADLINE_MS: String(DEADLINE_MS) },
    });
    const release = dieWithUs(child.pid!);
    child.once('exit', release);
    await once(child, 'message');
    return new HonestPeer(child);
  }

  async stop(): Promise<HonestReport> {
    const told = once(this.child, 'message') as Promise<[HonestReport]>;
    const exited = once(this.child, 'exit');
    this.child.send('stop');
    const [report] = await told;
    await exited;
    return report;
  }
}
