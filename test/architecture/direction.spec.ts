import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { barrels, directionBreaches, entryBreaches, namingBreaches, PUBLIC_ENTRIES } from './house-rules.js';
import { cycles, importGraph, readSources } from './import-graph.js';

const checkout = join(__dirname, '../..');
const sources = readSources(join(checkout, 'src'));

describe('the sources', () => {
  it('are found', () => {
    expect(sources.size).toBeGreaterThan(20);
    expect([...sources.keys()]).toContain('contract/index.ts');
    expect([...importGraph(sources).values()].flat().length).toBeGreaterThan(50);
  });

  it('import downwards only', () => {
    expect(directionBreaches(importGraph(sources))).toEqual([]);
  });

  it('lead from a public entry only to what other apps run', () => {
    expect(entryBreaches(importGraph(sources))).toEqual([]);
  });

  it('are offered to other apps by public entries only', () => {
    const { exports } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as {
      exports: Record<string, string | { types: string; default: string }>;
    };
    const offered = Object.values(exports).filter((target) => typeof target === 'object');
    expect(offered.length).toBeGreaterThan(2);
    for (const { types, default: file } of offered) {
      expect(types).toBe(file.replace(/\.js$/, '.d.ts'));
      const source = file.replace(/^\.\/dist\/(.*)\.js$/, '$1.ts');
      expect(Object.keys(PUBLIC_ENTRIES)).toContain(source);
      expect([...sources.keys()]).toContain(source);
    }
  });

  it('have no cycle between files', () => {
    expect(cycles(importGraph(sources))).toEqual([]);
  });

  it('have no file named after nothing, and no test among them', () => {
    expect(namingBreaches(sources.keys())).toEqual([]);
  });

  it('have no barrel but the public entries', () => {
    expect(barrels(sources)).toEqual([]);
  });
});

/** Files of a planted tree, with the imports given. */
const tree = (files: Record<string, string[]>): Map<string, string> =>
  new Map(
    Object.entries(files).map(([file, imports]) => [
      file,
      [...imports.map((specifier, index) => `import * as m${index} from '${specifier}';`), 'export const x = 1;'].join(
        '\n',
      ),
    ]),
  );
const breachesOf = (files: Record<string, string[]>): string[] => directionBreaches(importGraph(tree(files)));

describe('the check of directions', () => {
  const base = {
    'runs/run.ts': [],
    'agents/pool.ts': [],
    'redis/client.ts': [],
    'lifecycle/drain.ts': [],
    'contract/index.ts': [],
  };

  it('accepts imports from the same folder and from any folder below', () => {
    const files = {
      ...base,
      'main.ts': ['./app.module.js', './redis/client.js'],
      'app.module.ts': ['./runs/run.js'],
      'schedules/a/deep.ts': ['../../runs/run.js', '../b.js', '../../contract/index.js'],
      'schedules/b.ts': ['../agents/pool.js', 'bullmq', 'node:fs'],
      'sdk/client.ts': ['../contract/index.js', './connection.js'],
      'sdk/connection.ts': [],
      'cli/main.ts': ['../sdk/client.js', '../contract/index.js'],
    };
    expect(breachesOf(files)).toEqual([]);
  });

  it.each([
    ['agents/pool.ts', '../runs/run.js', 'agents/pool.ts -> runs/run.ts: upward'],
    ['contract/index.ts', '../redis/client.js', 'contract/index.ts -> redis/client.ts: upward'],
    ['runs/run.ts', '../main.js', 'runs/run.ts -> main.ts: upward'],
    ['lifecycle/drain.ts', '../redis/client.js', 'lifecycle/drain.ts -> redis/client.ts: sideways'],
    ['sdk/client.ts', '../redis/client.js', 'sdk/client.ts -> redis/client.ts: sdk knows only contract'],
    ['cli/main.ts', '../redis/client.js', 'cli/main.ts -> redis/client.ts: cli knows only sdk, contract'],
    ['sdk/client.ts', '../cli/main.js', 'sdk/client.ts -> cli/main.ts: sdk knows only contract'],
    ['main.ts', './cli/main.js', 'main.ts -> cli/main.ts: cli is not for use in here'],
    ['runs/run.ts', '../sdk/client.js', 'runs/run.ts -> sdk/client.ts: sdk is not for use in here'],
  ])('refuses %s importing %s', (file, specifier, breach) => {
    expect(breachesOf({ ...base, 'main.ts': [], 'sdk/client.ts': [], 'cli/main.ts': [], [file]: [specifier] })).toEqual(
      [breach],
    );
  });

  it('refuses folders and loose files that the list does not name', () => {
    expect(breachesOf({ 'stuff/a.ts': [] })).toEqual(['stuff/a.ts: the folder stuff is not in the list']);
    expect(breachesOf({ 'loose.ts': [] })).toEqual(['loose.ts: the folder (root) is not in the list']);
  });

  it.each([
    [`import type { X } from '../runs/run.js';`],
    [`export { x } from '../runs/run.js';`],
    [`export * from '../runs/run.js';`],
    [`export const load = () => import('../runs/run.js');`],
    [`export const run = require('../runs/run.js');`],
    [`import run = require('../runs/run.js');`],
    [`export type X = import('../runs/run.js').X;`],
    ['export const load = () => import(`../runs/run.js`);'],
  ])('sees an import written as %s', (text) => {
    const planted = tree({ 'runs/run.ts': [] }).set('agents/pool.ts', text);
    expect(directionBreaches(importGraph(planted))).toEqual(['agents/pool.ts -> runs/run.ts: upward']);
  });

  it('is not misled by text that only looks like an import', () => {
    const planted = tree({ 'runs/run.ts': [] }).set(
      'agents/pool.ts',
      `// import x from '../runs/run.js';\nexport const x = "from '../runs/run.js'";`,
    );
    expect(directionBreaches(importGraph(planted))).toEqual([]);
  });

  it('refuses a relative import that it cannot follow', () => {
    expect(() => importGraph(tree({ 'runs/run.ts': ['./absent.js'] }))).toThrow('runs/run.ts imports ./absent.js');
  });
});

describe('the check of public entries', () => {
  const files = {
    'diagnostics/index.ts': ['./module.js'],
    'diagnostics/module.ts': ['../contract/index.js'],
    'diagnostics/queues.ts': ['../runs/engine.js'],
    'runs/engine.ts': [],
    'contract/index.ts': ['./schema.js'],
    'contract/schema.ts': [],
  };

  it('accepts what stands alone, even where its folder holds more than that', () => {
    expect(entryBreaches(importGraph(tree(files)))).toEqual([]);
  });

  it('refuses an entry that leads to a feature through other files', () => {
    const planted = tree({ ...files, 'diagnostics/module.ts': ['./queues.js'] });
    expect(entryBreaches(importGraph(planted))).toEqual([
      'diagnostics/index.ts -> diagnostics/module.ts -> diagnostics/queues.ts -> runs/engine.ts',
    ]);
  });
});

describe('the check of cycles', () => {
  it('finds circles of two, of three and of one, and nothing in a diamond', () => {
    expect(cycles(importGraph(tree({ 'a.ts': ['./b.js'], 'b.ts': ['./a.js'], 'c.ts': ['./a.js'] })))).toEqual([
      ['a.ts', 'b.ts'],
    ]);
    expect(cycles(importGraph(tree({ 'a.ts': ['./b.js'], 'b.ts': ['./c.js'], 'c.ts': ['./a.js'] })))).toEqual([
      ['a.ts', 'b.ts', 'c.ts'],
    ]);
    expect(cycles(importGraph(tree({ 'a.ts': ['./a.js'] })))).toEqual([['a.ts']]);
    expect(
      cycles(importGraph(tree({ 'a.ts': ['./b.js', './c.js'], 'b.ts': ['./d.js'], 'c.ts': ['./d.js'], 'd.ts': [] }))),
    ).toEqual([]);
  });

  it('finds every one of several circles', () => {
    const files = { 'a.ts': ['./b.js'], 'b.ts': ['./a.js', './c.js'], 'c.ts': ['./d.js'], 'd.ts': ['./c.js'] };
    expect(cycles(importGraph(tree(files))).sort()).toEqual([
      ['a.ts', 'b.ts'],
      ['c.ts', 'd.ts'],
    ]);
  });
});

describe('the check of names', () => {
  it.each([
    'runs/utils.ts',
    'utils/dates.ts',
    'runs/date-utils.ts',
    'runs/run.util.ts',
    'runs/helpers.ts',
    'runs/run.spec.ts',
  ])('refuses %s', (file) => {
    expect(namingBreaches([file])).toEqual([file]);
  });

  it.each([
    'runs/run.record.ts',
    'runs/run-spec.ts',
    'contract/common.schema.ts',
    'lifecycle/in-flight.ts',
    'runs/latest.ts',
  ])('accepts %s', (file) => {
    expect(namingBreaches([file])).toEqual([]);
  });
});

describe('the check of barrels', () => {
  it('refuses a file of re-exports and any index.ts, but no public entry and no file with something of its own', () => {
    const planted = new Map([
      ['runs/all.ts', `export * from './run.js';\nexport { x } from './x.js';`],
      ['runs/index.ts', 'export const x = 1;'],
      ['runs/run.ts', `export * from './x.js';\nexport const own = 1;`],
      ['runs/empty.ts', ''],
      ...Object.keys(PUBLIC_ENTRIES).map((file): [string, string] => [file, `export * from './x.js';`]),
    ]);
    expect(barrels(planted)).toEqual(['runs/all.ts', 'runs/index.ts']);
  });
});
