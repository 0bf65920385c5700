import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EvidenceBundle } from '../../../src/diagnostics/recorder/files/evidence-bundle';
import { EvidenceDirectory } from '../../../src/diagnostics/recorder/files/evidence-directory';
import { LifeFile } from '../../../src/diagnostics/recorder/files/life-file';
import { ledgerSnapshot } from '../../../src/ledger/index';
import { sample } from './support/sample';

const MAX_BYTES = 1_048_576;
const COOL_DOWN_MS = 600_000;

describe('the evidence of one life', () => {
  const life = { id: '20260101T000000-1-abcdef', instance: 'spec', pid: 1, startedAt: 1_000, identity: 'elsewhere' };
  const lines: string[] = [];
  const log = { info: (line: string) => void lines.push(line), warn: (line: string) => void lines.push(line) };
  let path: string;
  let bundle: EvidenceBundle;
  let historyBytes: number;

  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'evidence-bytes-'));
    lines.length = 0;
    historyBytes = 200_000;
    bundle = new EvidenceBundle(
      new EvidenceDirectory(path, MAX_BYTES),
      life,
      {
        groups: ledgerSnapshot,
        verdicts: () => [],
        history: () => [sample({ at: 1, kinds: { ['x'.repeat(historyBytes)]: 1 } })],
        heap: {
          start: () => false,
          stop: () => undefined,
        } as never,
      },
      log,
    );
  });
  afterEach(() => {
    jest.restoreAllMocks();
    bundle.stop();
    rmSync(path, { recursive: true, force: true });
  });

  const names = (type: string): string[] => readdirSync(path).filter((name) => name.endsWith(`.${type}`));
  const heldBytes = (): number => readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
  const press = (times: number): void => {
    const now = performance.now();
    for (let count = 0; count < times; count++) {
      jest.spyOn(performance, 'now').mockReturnValue(now + count * (COOL_DOWN_MS + 1));
      bundle.pressed({ limit: 'memory limit', usedBytes: 1, limitBytes: 1 } as never);
    }
    jest.restoreAllMocks();
  };

  it('stays within the bytes of all, and it is the oldest that goes', () => {
    press(7);
    expect(bundle.writtenCount).toBe(7);
    expect(heldBytes()).toBeLessThanOrEqual(MAX_BYTES);
    const kept = names('evidence').sort();
    expect(kept.length).toBeGreaterThan(1);
    expect(kept.at(-1)).toContain('.0007.');
    expect(kept[0]).not.toContain('.0001.');
  });

  it('makes room for what the life goes on to write about itself', () => {
    const file = new LifeFile(new EvidenceDirectory(path, MAX_BYTES), life, log);
    press(7);
    for (let count = 1; count <= 4_000; count++) {
      file.write({ sample: sample({ at: count * 1_000 }), isNearLimit: false, verdicts: [] });
      if (count % 500 === 0) expect(heldBytes()).toBeLessThanOrEqual(MAX_BYTES);
    }
    file.stop();
    expect(names('life').length).toBeGreaterThan(1);
    expect(names('evidence').length).toBeGreaterThan(0);
  });

  it('is not written where it alone is too much, and the log says so', () => {
    historyBytes = MAX_BYTES;
    press(1);
    expect(names('evidence')).toEqual([]);
    expect(lines.join()).toContain('is not written: 1048576 bytes leave no room for it');
  });
});
