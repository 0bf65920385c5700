import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LedgerGroup, LedgerKind, LedgerStatus } from '../../src/ledger/ledger-snapshot.js';
import { DIST_DIR } from './support/run-fixture.js';

jest.setTimeout(180_000);

const MIB = 1024 * 1024;

interface Bounds {
  kind: LedgerKind;
  groupsLive: number;
  other: LedgerGroup;
  sitesOther: LedgerGroup;
  sitesLive: number;
  status: LedgerStatus;
  freed: number;
  readMs: number;
}

describe('10⁶ resources and 10⁵ creation sites', () => {
  let bounds: Bounds;

  beforeAll(async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--expose-gc', '--max-old-space-size=2048', join(__dirname, 'fixtures', 'bounds.cjs')],
      { env: { ...process.env, NODE_OPTIONS: '', DIST_DIR }, maxBuffer: 64 * MIB, timeout: 170_000 },
    );
    bounds = JSON.parse(stdout) as Bounds;
  });

  it('are counted exactly as a kind', () => {
    expect(bounds.kind).toMatchObject({ live: 1_100_000, created: 1_100_000, closed: 0 });
  });

  it('fit in the stated number of groups, the rest in (other)', () => {
    expect(bounds.sitesOther.live).toBeGreaterThan(90_000);
    expect(bounds.sitesLive).toBe(100_000);
    expect(bounds.kind.groupsCount).toBeLessThanOrEqual(513);
    expect(bounds.status.locationsCount).toBeLessThanOrEqual(8_192);
    expect(bounds.status.samplesCount).toBeLessThanOrEqual(4_096);
  });

  it('leave the ledger under 8 MiB', () => {
    expect(bounds.freed).toBeLessThan(8 * MIB);
    expect(bounds.status.memoryBytes).toBeLessThan(8 * MIB);
  });

  it('are read in a time that does not grow with them', () => {
    expect(bounds.readMs).toBeLessThan(50);
  });
});
