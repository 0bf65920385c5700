import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ledgerGroupsSchema } from '../../src/contract/ledger.schema';
import { httpGet } from '../support/http-get';
import { ForeignProject, packedTarball, type ModuleFormat } from './support/foreign-project';

// Installs from the registry, four times.
jest.setTimeout(300_000);

const LEAK_LINE =
  readFileSync(join(__dirname, 'fixtures/shop/shop.service.ts'), 'utf8')
    .split('\n')
    .findIndex((line) => line.includes('// the leak')) + 1;

const directory = mkdtempSync(join(tmpdir(), 'commander-packed-'));
let tarball: string;

beforeAll(async () => {
  tarball = await packedTarball(directory);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.each(['11', '12'])('the package in an application of Nest %s', (major) => {
  const project = new ForeignProject();
  beforeAll(async () => {
    const nest = ['common', 'core', 'platform-express', 'platform-fastify'];
    await project.install({
      ...Object.fromEntries(nest.map((name) => [`@nestjs/${name}`, `^${major}.0.0`])),
      'reflect-metadata': '^0.2.2',
      rxjs: '^7.8.2',
      'mu-commander': `file:${tarball}`,
    });
    project.addLibrary(
      'ticker',
      'exports.Ticker = class Ticker { timer = setInterval(() => undefined, 60_000).unref(); };',
      'export class Ticker { readonly timer: object; }',
    );
  });
  afterAll(() => project.remove());

  it('brings neither a second Nest nor anything of the scheduler', () => {
    expect(project.versionOf('@nestjs/core')).toMatch(new RegExp(`^${major}\\.`));
    expect(project.has('mu-commander/node_modules/@nestjs')).toBe(false);
    for (const name of ['ioredis', 'bullmq', '@liaoliaots/nestjs-redis', '@nestjs/terminus'])
      expect([name, project.has(name)]).toEqual([name, false]);
    expect(project.has('mu-commander/dist/runs')).toBe(false);
  });

  it('has types that applications of both formats compile against', () => {
    for (const format of ['commonjs', 'module'] as const) project.compile(format);
    expect(project.typeErrors()).toBe('');
  });

  describe.each<[ModuleFormat, '--require' | '--import']>([
    ['commonjs', '--require'],
    ['module', '--import'],
  ])('as %s with %s', (format, preload) => {
    let main: string;
    beforeAll(() => (main = project.compile(format)));

    it.each(['express', 'fastify'])('names the line of a leak under %s', async (ADAPTER) => {
      const TOKEN = 'a-token-of-the-shop';
      const shop = await project.run(main, preload, { ADAPTER, HOST: '0.0.0.0', TOKEN });
      const base = `http://127.0.0.1:${shop.message.port}`;
      for (let count = 1; count <= 5; count++) expect((await httpGet(`${base}/crawl`)).text).toBe(String(count));

      const { groups } = ledgerGroupsSchema.parse((await httpGet(`${base}/diagnostics/groups?kind=interval`)).json());
      expect(groups.filter(({ site }) => site?.file === 'src/shop.service.ts')).toEqual([
        expect.objectContaining({
          live: 5,
          exact: true,
          site: expect.objectContaining({ line: LEAK_LINE, function: 'ShopService.crawl' }),
        }),
      ]);
      // Made by Nest itself, with no line of the application nearer than the bootstrap.
      expect(groups.filter(({ stack }) => stack[0]?.file.includes('node_modules/ticker/'))).toEqual([
        expect.objectContaining({ live: 1, site: null, provider: 'TICKER in ShopModule' }),
      ]);
      expect((await httpGet(`${base}/diagnostics`)).json().sources).toEqual({ shop: { pollsCount: 5 } });
      const foreign = { Host: 'shop.example.org' };
      expect((await httpGet(`${base}/diagnostics`, { headers: foreign })).status).toBe(401);
      const authorized = { ...foreign, Authorization: `Bearer ${TOKEN}` };
      expect((await httpGet(`${base}/diagnostics`, { headers: authorized })).status).toBe(200);
      expect(await shop.close()).toBe(0);
    });

    it.each(['express', 'fastify'])('refuses to listen wide without a token under %s', async (ADAPTER) => {
      const { message } = await project.run(main, preload, { ADAPTER, HOST: '0.0.0.0', TOKEN: '' });
      expect(message).toEqual({ refused: 'INSECURE_BIND' });
    });
  });
});

describe('the package without Nest', () => {
  const project = new ForeignProject();
  beforeAll(() => project.install({ 'mu-commander': `file:${tarball}` }));
  afterAll(() => project.remove());

  it('does not bring Nest', () => {
    expect(project.has('@nestjs')).toBe(false);
  });

  it.each([
    [
      'server.cjs',
      ['--require', 'mu-commander/register'],
      "const { serveDiagnostics } = require('mu-commander/standalone');",
    ],
    [
      'server.mjs',
      ['--import', 'mu-commander/register'],
      "import { serveDiagnostics } from 'mu-commander/standalone';",
    ],
  ])('serves the leak of %s', async (file, preload, imports) => {
    const printed = await project.output(
      file,
      `${imports}
      const leaked = [1, 2].map(() => setInterval(() => undefined, 1_000));
      serveDiagnostics({ port: 0 }).then(async ({ port, close }) => {
        const answer = await fetch(\`http://127.0.0.1:\${port}/diagnostics/groups?kind=interval\`);
        console.log(JSON.stringify(await answer.json()));
        await close();
        leaked.forEach(clearInterval);
      });`,
      preload,
    );
    const { groups } = ledgerGroupsSchema.parse(JSON.parse(printed));
    expect(groups).toEqual([expect.objectContaining({ live: 2, site: expect.objectContaining({ file, line: 2 }) })]);
  });

  it('can be imported by name from ES modules', async () => {
    const printed = await project.output(
      'names.mjs',
      `import { startLedger, trackResource } from 'mu-commander/ledger';
      import { diagnosticsCommands, ledgerGroupsSchema } from 'mu-commander/contract';
      const entries = [startLedger, trackResource, ledgerGroupsSchema.parse, diagnosticsCommands['diagnostics.groups'].reply.parse];
      console.log(entries.every((entry) => typeof entry === 'function'));`,
    );
    expect(printed).toBe('true\n');
  });
});

describe('the package in a suite of jest', () => {
  const project = new ForeignProject();
  beforeAll(() => project.install({ jest: '^30.0.0', 'mu-commander': `file:${tarball}` }));
  afterAll(() => project.remove());

  it('fails the file that leaves an interval behind, with its line, and no other', async () => {
    const config = { setupFilesAfterEnv: ['mu-commander/jest/setup'], testEnvironment: 'node' };
    project.write('jest.config.json', JSON.stringify(config));
    project.write(
      'clean.test.js',
      "it('ends what it began', () => clearInterval(setInterval(() => undefined, 1_000)));",
    );
    project.write('leaking.test.js', "it('passes', () => {\n  setInterval(() => undefined, 1_000).unref();\n});");
    const { code, text } = await project.jest();
    expect(code).toBe(1);
    expect(text).toContain('1 interval made at leaking.test.js:2');
    expect(text).toContain('PASS ./clean.test.js');
    expect(text).toContain('FAIL ./leaking.test.js');
  });
});
