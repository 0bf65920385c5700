import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DIST_DIR } from './support/run-fixture.js';

const fixture = join(__dirname, 'fixtures', 'agent-sockets.cjs');

it('puts an idle socket under the line of the agent that keeps it, and one in use under the line of its request', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--require', join(DIST_DIR, 'ledger', 'register.js'), fixture],
    { env: { ...process.env, NODE_OPTIONS: '', DIST_DIR }, timeout: 50_000 },
  );
  const lines = readFileSync(fixture, 'utf8').split('\n');
  const lineOf = (plant: string) => lines.findIndex((line) => line.includes(`// plant:${plant}`)) + 1;
  const sockets = JSON.parse(stdout) as { live: number; line: number; via?: string }[];
  expect(sockets).toHaveLength(2);
  expect(sockets).toContainEqual({ live: 1, line: lineOf('agent'), via: 'http.agent' });
  expect(sockets).toContainEqual({ live: 1, line: lineOf('request') });
});
