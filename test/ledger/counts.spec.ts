import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LedgerCount, LedgerGroup } from '../../src/ledger/ledger-snapshot.js';
import { DIST_DIR } from './support/run-fixture.js';

it('counts are the report without what only the resources themselves tell', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(__dirname, 'fixtures', 'counts.cjs')], {
    env: { ...process.env, NODE_OPTIONS: '', DIST_DIR },
    timeout: 50_000,
  });
  const { report, counts, now } = JSON.parse(stdout) as Record<'counts' | 'now', LedgerCount[]> & {
    report: LedgerGroup[];
  };
  expect(counts.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['lease', 'server', 'interval']));
  expect(report.find(({ kind }) => kind === 'lease')).toMatchObject({
    live: 3,
    peak: 3,
    ageMs: { mean: expect.any(Number) },
  });
  const withoutLives = report.map(({ ageMs: _age, lifetimeMs: _lifetime, ...count }) => count);
  expect(counts).toEqual(withoutLives);
  expect(now).toEqual(counts);
});
