import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LedgerGroup, LedgerStatus } from '../../../src/ledger/ledger-snapshot.js';

/** Where the built service is. */
export const DIST_DIR = process.env.DIST_DIR ?? join(process.cwd(), 'dist');

/** What a fixture says of one plant. */
export interface PlantReport {
  readonly id: string;
  readonly open: LedgerGroup[];
  readonly after: LedgerGroup[];
  readonly failure?: string;
}

/** Runs a fixture with the built ledger preloaded, and collects what it sends. Rejects with its output when it fails. */
export function runFixture(
  main: string,
  preload: '--require' | '--import',
  places: Record<string, unknown>,
): Promise<{ reports: Map<string, PlantReport>; status: LedgerStatus }> {
  return new Promise((resolve, reject) => {
    const child = fork(main, {
      execArgv: [preload, join(DIST_DIR, 'ledger', 'register.js'), '--no-warnings'],
      env: { ...process.env, NODE_OPTIONS: '', PLACES: JSON.stringify(places) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += String(chunk)));
    child.stderr?.on('data', (chunk) => (output += String(chunk)));
    const reports = new Map<string, PlantReport>();
    let status: LedgerStatus | undefined;
    child.on('message', (message: PlantReport | { status: LedgerStatus }) => {
      if ('status' in message) ({ status } = message);
      else reports.set(message.id, message);
    });
    const deadline = setTimeout(() => child.kill('SIGKILL'), 120_000);
    // The end of the process may be told before what it sent last; the end of the channel is not.
    Promise.all([once(child, 'exit'), once(child, 'disconnect')])
      .then(([[code, signal]]) => {
        if (status) resolve({ reports, status });
        else reject(new Error(`${main} ended with ${String(code ?? signal)}:\n${output.slice(-4_000)}`));
      }, reject)
      .finally(() => clearTimeout(deadline));
  });
}
