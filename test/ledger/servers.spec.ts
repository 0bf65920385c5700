import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DIST_DIR } from './support/run-fixture.js';

it('counts a server until it has closed, connections included, and none that could not listen', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--require', join(DIST_DIR, 'ledger', 'register.js'), join(__dirname, 'fixtures', 'servers.cjs')],
    { env: { ...process.env, NODE_OPTIONS: '', DIST_DIR }, timeout: 50_000 },
  );
  expect(JSON.parse(stdout)).toEqual({
    listening: { live: 1, created: 1, closed: 0 },
    hasOwnEmit: [false, false, false],
    undecided: { live: 2, created: 2, closed: 0 },
    code: 'EADDRINUSE',
    failed: { live: 1, created: 1, closed: 0 },
    again: { live: 2, created: 2, closed: 0 },
    closedTwice: 'ERR_SERVER_NOT_RUNNING',
    closed: { live: 1, created: 2, closed: 1 },
    closedWithConnection: { live: 1, created: 2, closed: 1 },
    end: { live: 0, created: 2, closed: 2 },
  });
});
