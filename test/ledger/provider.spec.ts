import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LedgerSite } from '../../src/ledger/ledger-snapshot.js';
import { DIST_DIR } from './support/run-fixture.js';

const fixture = join(__dirname, 'fixtures', 'provider.cjs');

it('names the provider and its module where Nest itself calls the constructor, and the line of a factory where there is one', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--require', join(DIST_DIR, 'ledger', 'register.js'), fixture],
    { env: { ...process.env, NODE_OPTIONS: '', DIST_DIR }, timeout: 50_000 },
  );
  const clients = JSON.parse(stdout) as { live: number; site: LedgerSite | null; provider?: string }[];
  const factoryLine =
    readFileSync(fixture, 'utf8')
      .split('\n')
      .findIndex((line) => line.includes('// plant:factory')) + 1;
  expect(clients).toHaveLength(2);
  expect(clients).toContainEqual({ live: 1, site: null, provider: 'CART in ShopModule' });
  expect(clients).toContainEqual({
    live: 1,
    site: expect.objectContaining({ file: 'test/ledger/fixtures/provider.cjs', line: factoryLine }) as unknown,
  });
});
