import { execFileSync } from 'node:child_process';
import { get } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { AddressInfo } from 'node:net';
import type { LedgerGroups } from '../../../src/contract/ledger.schema';
import { DiagnosticsModule } from '../../../src/diagnostics/index';
import type { Endpoint } from '../../../src/diagnostics/http/endpoint';
import type { OpenApiDocument } from '../../../src/diagnostics/openapi/openapi-document';
import { eventually } from '../../support/eventually';
import { httpGet } from '../../support/http-get';
import { WatchedProgram } from '../standalone/support/watched-program';
import { everyEndpoint, fullAnswer, holdCostlySlot, pathOf, queriesOf, titleOf } from '../support/every-endpoint';
import { ServedDocument } from './support/served-document';

jest.setTimeout(90_000);

const TOKEN = 'a-token-of-the-document';
const EVIDENCE = 'spec@20260101T000000-1-abcdef.0001.evidence';
const VALIDATOR = 'node_modules/@seriousme/openapi-schema-validator/bin/validate-api-cli.js';

const table = everyEndpoint.map((endpoint) => [titleOf(endpoint), endpoint] as const);
const endpointAt = (method: string, path: string): Endpoint =>
  everyEndpoint.find(
    (endpoint) => endpoint.method === method && endpoint.path === path && endpoint.wants === undefined,
  )!;

/** Holds timers and listens; memory runs short, as far as it can tell, from the first line on its standard input on. */
const program = `
  globalThis.held = [1, 2, 3].map(() => setInterval(() => undefined, 60_000));
  process.stdin.on('data', () => { process.availableMemory = () => 1; }).resume();
`;

describe('GET /diagnostics/openapi.json', () => {
  let watched: WatchedProgram;
  let base: string;
  let served: ServedDocument;
  let groupId: string;
  const evidenceDir = mkdtempSync(join(tmpdir(), 'commander-openapi-evidence-'));

  const compare = async (endpoint: Endpoint, path: string, headers: Record<string, string> = {}, method?: string) => {
    const answer = await fullAnswer(base, method ?? endpoint.method, path, { headers, forMs: 500 });
    served.compare(endpoint, answer);
    return answer.status;
  };

  beforeAll(async () => {
    // What an earlier life left behind.
    writeFileSync(join(evidenceDir, EVIDENCE), JSON.stringify({ at: 1, kinds: [] }));
    watched = WatchedProgram.start('app.cjs', program, '--require', {
      MU_DIAGNOSTICS_PORT: '0',
      MU_DIAGNOSTICS_TOKEN: TOKEN,
      MU_DIAGNOSTICS_EVIDENCE_DIR: evidenceDir,
    });
    base = await watched.base();
    served = new ServedDocument((await httpGet(`${base}/diagnostics/openapi.json`)).json());
    groupId = await eventually(async () => {
      const { groups } = (await httpGet(`${base}/diagnostics/groups`)).json<LedgerGroups>();
      return groups.find(({ kind }) => kind === 'interval')?.id ?? false;
    });
  });
  afterAll(async () => {
    await watched.remove();
    rmSync(evidenceDir, { recursive: true, force: true });
  });

  it('is valid OpenAPI 3.1 by the schema of the specification, references included', () => {
    const directory = mkdtempSync(join(tmpdir(), 'commander-openapi-'));
    const isValid = (document: unknown): boolean => {
      const file = join(directory, 'openapi.json');
      writeFileSync(file, JSON.stringify(document));
      try {
        return JSON.parse(execFileSync(process.execPath, [VALIDATOR, file], { encoding: 'utf8' })).valid === true;
      } catch {
        return false;
      }
    };
    try {
      const { document } = served;
      expect(document.openapi).toBe('3.1.0');
      expect(isValid(document)).toBe(true);
      expect(isValid({ ...document, info: { title: 'no version' } })).toBe(false);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('has every endpoint with every parameter, and no other', () => {
    const documented = Object.entries(served.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { parameters }]) => [
        `${method} ${path}`,
        parameters.map(({ name, in: place }) => `${place} ${name}`).sort(),
      ]),
    );
    const expected = new Map<string, Set<string>>();
    for (const { method, path, query } of everyEndpoint) {
      const key = `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`;
      const names = expected.get(key) ?? new Set<string>();
      for (const [, name] of path.matchAll(/:(\w+)/g)) names.add(`path ${name}`);
      for (const name of Object.keys(query.shape)) names.add(`query ${name}`);
      expected.set(key, names);
    }
    expect(Object.fromEntries(documented)).toEqual(
      Object.fromEntries([...expected].map(([key, names]) => [key, [...names].sort()])),
    );
  });

  it.each([
    ['/diagnostics/groups', 'limit', { type: 'integer', minimum: 1, maximum: 200, default: 50 }],
    ['/diagnostics/groups', 'delta', { type: 'integer', minimum: 1, maximum: 30 }],
    ['/diagnostics/history', 'step', { type: 'integer', minimum: 1_000, maximum: 3_600_000 }],
    ['/diagnostics/profiles/cpu', 'seconds', { type: 'integer', minimum: 0, default: 10 }],
    ['/debug/pprof/heap', 'debug', { type: 'string', enum: ['0', '1', '2'], default: '0' }],
  ])('tells the bounds and the default of %s?%s', async (path, name, schema) => {
    const found = served.document.paths[path]!.get!.parameters.find((parameter) => parameter.name === name)!;
    expect(found.schema).toEqual(schema);
    // And they are the bounds: one more is refused, or taken as the greatest.
    if ('maximum' in schema) {
      const { maximum } = schema as { maximum: number };
      expect(await compare(endpointAt('GET', path), `${path}?${name}=${maximum + 1}`)).toBe(400);
    } else if (name === 'seconds') expect(found.description).toContain('above 60');
  });

  it('asks for the token, or nothing from this machine, and for neither where nothing of the process is shown', () => {
    const { paths, components } = served.document;
    expect(components.securitySchemes).toMatchObject({ bearer: { type: 'http', scheme: 'bearer' } });
    for (const { path, open, wants } of everyEndpoint) {
      const operations = Object.values(paths[path.replace(/:(\w+)/g, '{$1}')]!);
      const isOpen = open === true && wants === undefined;
      for (const { security } of operations)
        expect([path, security]).toEqual([path, isOpen ? [] : [{ bearer: [] }, {}]]);
    }
  });

  it.each(table)('says what %s answers', async (_title, endpoint) => {
    const files = endpoint.path.endsWith(':file') ? ['main.js', 'main.css'] : [''];
    for (const file of files) {
      for (const query of queriesOf(endpoint)) {
        // Those that always take a while.
        const timed =
          endpoint.costlySeconds?.(endpoint.query.parse({})) !== undefined && 'seconds' in endpoint.query.shape;
        const asked = [query, timed && !query.includes('seconds=') ? 'seconds=1' : ''].filter(Boolean).join('&');
        const path = `${pathOf(endpoint, { id: groupId, file, name: EVIDENCE })}${asked === '' ? '' : `?${asked}`}`;
        const status = await compare(endpoint, path, endpoint.wants === undefined ? {} : { Accept: 'text/html' });
        expect([path, status]).toEqual([path, endpoint.status ?? 200]);
      }
    }
  });

  it.each(table)('says how %s is refused', async (_title, endpoint) => {
    const path = pathOf(endpoint, { id: groupId, file: 'main.js' });
    expect(await compare(endpoint, `${path}?planted=1`)).toBe(400);
    expect(await compare(endpoint, path, {}, 'DELETE')).toBe(405);
    if (endpoint.path.includes(':')) expect(await compare(endpoint, pathOf(endpoint))).toBe(404);
    if (endpoint.path === '/diagnostics/history') expect(await compare(endpoint, `${path}?life=unknown`)).toBe(404);
    if (endpoint.open !== true) {
      await eventually(async () => expect(await compare(endpoint, path, { Host: 'example.org' })).toBe(401));
    }
    if (endpoint.method === 'POST') expect(await compare(endpoint, path, { Origin: 'https://example.org' })).toBe(403);
  });

  it('says how what costs much waits for its turn, and how there is no room for a snapshot', async () => {
    const snapshot = endpointAt('POST', '/diagnostics/snapshot');
    const letGo = holdCostlySlot(base);
    await eventually(async () => expect(await compare(snapshot, snapshot.path)).toBe(429));
    await letGo();
    watched.child.stdin!.write('short\n');
    await eventually(async () => expect(await compare(snapshot, snapshot.path)).toBe(412));
  });

  it('says how one reader too many of the live events is refused', async () => {
    const live = endpointAt('GET', '/diagnostics/live');
    const readers = Array.from({ length: 16 }, () => get(`${base}${live.path}`, { agent: false }));
    try {
      for (const reader of readers) reader.on('error', () => undefined);
      await Promise.all(readers.map((reader) => new Promise((resolve) => reader.once('response', resolve))));
      expect(await compare(live, live.path)).toBe(503);
    } finally {
      for (const reader of readers) reader.destroy();
    }
  });

  it('promises nothing that was not seen above', () => {
    expect(served.successes().filter((success) => !served.seen.has(success))).toEqual([]);
  });

  it('names the prefix of the application as its server', async () => {
    const app = await NestFactory.create(DiagnosticsModule.forRoot(), { logger: false });
    try {
      app.setGlobalPrefix('api/v1');
      await app.listen(0, '127.0.0.1');
      const { port } = app.getHttpServer().address() as AddressInfo;
      const answer = await httpGet(`http://127.0.0.1:${port}/api/v1/diagnostics/openapi.json`);
      expect(answer.json<OpenApiDocument & { servers: unknown }>().servers).toEqual([{ url: '/api/v1' }]);
    } finally {
      await app.close();
    }
  });
});
