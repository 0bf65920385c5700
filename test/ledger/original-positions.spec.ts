import { execFile } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import type { CodeLocation } from '../../src/ledger/capture/code-locations.js';
import type { PositionResolver } from '../../src/ledger/positions/position-resolver.js';
import type { UnresolvedPlaces } from '../../src/ledger/positions/unresolved-places.js';
import { DIST_DIR } from './support/run-fixture.js';

/** The built ones: only there is a worker to start. */
const { UnresolvedPlaces: BuiltPlaces } = jest.requireActual<{ UnresolvedPlaces: new () => UnresolvedPlaces }>(
  join(DIST_DIR, 'ledger', 'positions', 'unresolved-places.js'),
);
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

  /** Compiles four lines of which the last stands elsewhere in the output. @returns where its call is in the output */
  function compiled(name: string, code: string, more: object = {}): CodeLocation {
    const { outputText, sourceMapText } = ts.transpileModule(`interface A {\n  a: string;\n}\n${code}\n`, {
      fileName: `${name}.ts`,
      compilerOptions: { target: ts.ScriptTarget.ES2022, sourceMap: true },
    });
    const path = join(directory, `${name}.js`);
    writeFileSync(path, outputText);
    writeFileSync(`${path}.map`, JSON.stringify({ ...(JSON.parse(sourceMapText ?? '') as object), ...more }));
    const line = outputText.split('\n').findIndex((text) => text === code) + 1;
    return { number: 0, file: { path, owner: 'user', number: 0 }, line, column: 9, functionName: null };
  }

  const small = (name: string) => compiled(name, 'console.log(1);');
  const large = (name: string) => compiled(name, 'console.log(1);', { padding: 'x'.repeat(64 * 1_024) });
  const place = (name: string) => ({ path: join(directory, `${name}.ts`), line: 4 }) as unknown;
  const resolver = () => new BuiltResolver((work) => work());

  it('are read in place where there is little to read', async () => {
    const location = small('small');
    await resolver().resolve([location]);
    expect(location.original).toMatchObject(place('small') as object);
    expect(workersCount).toBe(0);
  });

  it('are read in a worker where there is much', async () => {
    const location = large('large');
    await resolver().resolve([location]);
    expect(location.original).toMatchObject(place('large') as object);
    expect(workersCount).toBe(1);
  });

  it('stay those of the running code where a map is none, and are found in the files beside it', async () => {
    const broken = compiled('broken', 'console.log(1);', { mappings: 7 });
    const whole = small('whole');
    await resolver().resolve([broken, whole]);
    expect(broken.original).toBeNull();
    expect(whole.original).toMatchObject(place('whole') as object);
  });

  it('of small files are read ahead, a few files at a time; those of large ones wait for who asks', () => {
    const places = new BuiltPlaces();
    const [first, ...others] = Array.from({ length: 9 }, (_, index) => small(`ahead-${index}`));
    const heavy = large('ahead-large');
    const library: CodeLocation = { ...first!, file: { ...first!.file, owner: 'library', path: '/node_modules/a.js' } };
    for (const location of [heavy, first!, library, ...others])
      places.add({ frames: [location], site: location, provider: null });
    const looking = resolver();
    looking.lookAhead(places);
    expect(first!.original).toMatchObject(place('ahead-0') as object);
    expect(library.original).toBeNull();
    expect(others.at(-1)!.original).toBeUndefined();
    for (let look = 0; look < others.length; look++) looking.lookAhead(places);
    expect(others.map(({ original }) => original)).toEqual(
      others.map((_, index) => expect.objectContaining(place(`ahead-${index + 1}`) as object) as unknown),
    );
    expect(heavy.original).toBeUndefined();
    expect(places.takeAll()).toEqual([heavy]);
    expect(places.takeAll()).toEqual([]);
    expect(workersCount).toBe(0);
  });

  it('are known in a running program soon after a line was met, though nobody asked', async () => {
    compiled('program', 'setInterval(() => {}, 60_000);');
    const look = join(directory, 'look.cjs');
    writeFileSync(
      look,
      `const { ledgerSnapshot } = require(${JSON.stringify(join(DIST_DIR, 'ledger', 'index.js'))});
       require('./program.js');
       const known = () => ledgerSnapshot().groups.find(({ site }) => site?.file.endsWith('program.ts'))?.site;
       const wait = () => (known() ? process.stdout.write(JSON.stringify(known()), () => process.exit()) : setTimeout(wait, 20));
       wait();`,
    );
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--require', join(DIST_DIR, 'ledger', 'register.js'), look],
      { env: { ...process.env, NODE_OPTIONS: '' }, timeout: 50_000 },
    );
    expect(JSON.parse(stdout)).toMatchObject({ line: 4, column: 1 });
  });
});
