import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const checkout = resolve(__dirname, '../..');
const passing = 'test/unit/jitter.spec.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'test-again-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What the script makes of a run of jest in which these suites failed. */
function again(failed: string[], wasInterrupted = false): { status: number | null; output: string } {
  const results = join(directory, 'results.json');
  const testResults = [
    { name: join(checkout, 'test/unit/settings.spec.ts'), status: 'passed' },
    ...failed.map((name) => ({ name: join(checkout, name), status: 'failed' })),
  ];
  writeFileSync(results, JSON.stringify({ testResults, wasInterrupted }));
  const { status, stdout, stderr } = spawnSync('node', ['scripts/test-again.mjs', results], {
    cwd: checkout,
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

describe('suites that failed', () => {
  it('pass when they do so alone, and are named', () => {
    const { status, output } = again([passing]);
    expect(output).toContain(`UNSTABLE, passed only when run again: ${passing}`);
    expect(output).not.toContain('settings.spec');
    expect(status).toBe(0);
  });

  it('fail when one of them fails again', () => {
    const { status, output } = again(['test/unit/that-is-not-there.spec.ts']);
    expect(output).toContain('failed again');
    expect(status).toBe(1);
  });

  it('fail when they are more than an accident', () => {
    const { status, output } = again([passing, passing, passing]);
    expect(output).toContain('3 suites failed');
    expect(output).not.toContain('UNSTABLE');
    expect(status).toBe(1);
  });

  it.each([
    ['none failed, but jest did', [], false],
    ['the run was interrupted', [passing], true],
  ])('fail when %s', (_when, failed, interrupted) => {
    const { status, output } = again(failed, interrupted);
    expect(output).toContain('did not run to their end');
    expect(status).toBe(1);
  });
});
