import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LedgerKind } from '../../src/ledger/ledger-snapshot.js';
import { DIST_DIR } from './support/run-fixture.js';

it('leaves what was closed to the next short collection, though each was watched by itself', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    // Room for all of them: nothing is moved to the old generation but what is held.
    ['--expose-gc', '--min-semi-space-size=16', join(__dirname, 'fixtures', 'short-lived.cjs')],
    { env: { ...process.env, NODE_OPTIONS: '', DIST_DIR }, timeout: 50_000 },
  );
  const { kind, createdInGroups, keptPerResource } = JSON.parse(stdout) as {
    kind: LedgerKind;
    createdInGroups: number;
    keptPerResource: number;
  };
  expect(kind).toMatchObject({ created: 151, closed: 151, live: 0 });
  expect(createdInGroups).toBe(151);
  // Of 16 KB each.
  expect(keptPerResource).toBeLessThan(8_000);
});
