import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import type { CodeLocation } from '../../src/ledger/capture/code-locations.js';
import type { PositionResolver } from '../../src/ledger/positions/position-resolver.js';
import { DIST_DIR } from './support/run-fixture.js';

/** The built one: only that has a worker to start. */
const { PositionResolver: BuiltResolver } = jest.requireActual<{
  PositionResolver: new (quietly: <T>(work: () => T) => T) => PositionResolver;
}>(join(DIST_DIR, 'ledger', 'positions', 'position-resolver.js'));

describe('positions in the sources', () => {
  const directory = mkdtempSync(join(tmpdir(), 'commander-positions-'));
  let workersCount = 0;
  const onWorker = (): void => void workersCount++;

  beforeAll(() => subscribe('worker_threads', onWorker));
  beforeEach(() => (workersCount = 0));
  afterAll(() => {
    unsubscribe('worker_threads', onWorker);
    rmSync(directory, { recursive: true, force: true });
  });

  /** Compiles four lines of which the last stands elsewhere in the output, and asks for its call. */
  async function originalOf(name: string, padding = ''): Promise<CodeLocation['original']> {
    const { outputText, sourceMapText } = ts.transpileModule('interface A {\n  a: string;\n}\nconsole.log(1);\n', {
      fileName: `${name}.ts`,
      compilerOptions: { target: ts.ScriptTarget.ES2022, sourceMap: true },
    });
    const path = join(directory, `${name}.js`);
    writeFileSync(path, outputText);
    writeFileSync(`${path}.map`, JSON.stringify({ ...(JSON.parse(sourceMapText ?? '') as object), padding }));
    const line = outputText.split('\n').findIndex((text) => text.startsWith('console')) + 1;
    const location: CodeLocation = {
      number: 0,
      file: { path, owner: 'user', number: 0 },
      line,
      column: 9,
      functionName: null,
    };
    await new BuiltResolver((work) => work()).resolve([location]);
    return location.original;
  }

  it('are read in place where there is little to read', async () => {
    expect(await originalOf('small')).toMatchObject({ path: join(directory, 'small.ts'), line: 4 });
    expect(workersCount).toBe(0);
  });

  it('are read in a worker where there is much', async () => {
    const original = await originalOf('large', 'x'.repeat(64 * 1_024));
    expect(original).toMatchObject({ path: join(directory, 'large.ts'), line: 4 });
    expect(workersCount).toBe(1);
  });
});
