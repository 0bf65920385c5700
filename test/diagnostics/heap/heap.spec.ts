import { heapSchema } from '../../../src/contract/heap.schema';
import { eventually } from '../../support/eventually';
import { httpGet } from '../../support/http-get';
import { LEAKING_PROGRAM, LINES } from '../profiles/support/leaking-program';
import { WatchedProgram } from '../standalone/support/watched-program';

jest.setTimeout(150_000);

/** A window of the floor closes after a collection of the old generation; left to itself V8 makes them as rarely as it likes (`heap-leaks.spec.ts` has a program that is left to it). */
const COLLECTING = `
require('node:v8').setFlagsFromString('--expose-gc');
setInterval(require('node:vm').runInNewContext('gc'), 1_000).unref();
`;

describe('GET /diagnostics/heap', () => {
  let program: WatchedProgram;
  afterEach(() => program.remove());

  const started = async (text: string): Promise<string> => {
    program = WatchedProgram.start('app.cjs', text, '--require', {
      MU_DIAGNOSTICS_PORT: '0',
      NODE_OPTIONS: '--max-semi-space-size=1',
    });
    return program.base();
  };

  it('has sites, their floors and a tree, once the sampling it started has seen something', async () => {
    const base = await started(LEAKING_PROGRAM + COLLECTING);
    const read = async (query = '') => heapSchema.parse((await httpGet(`${base}/diagnostics/heap${query}`)).json());
    const first = await read();
    expect(first.sampling).toMatchObject({
      running: true,
      unavailable: null,
      intervalBytes: 524_288,
      holders: ['diagnostics'],
    });
    const found = await eventually(
      async () => {
        const answer = await read();
        expect(answer.sites.find(({ site }) => site?.function === 'keepObjects')?.confidence).toBeGreaterThan(3.5);
        return answer;
      },
      { timeoutMs: 120_000, intervalMs: 300 },
    );
    expect(found.sites[0]).toMatchObject({
      site: { file: 'app.cjs', line: LINES.keepObjects, function: 'keepObjects' },
    });
    expect(found.sites[0]!.growthBytesPerSecond).toBeGreaterThan(0);
    expect(found.sites[0]!.floor.length).toBeGreaterThanOrEqual(2);
    expect(found.tree.bytes).toBe(found.sampledBytes);
    expect(found.sampledBytes).toBeLessThan(2 * found.heapUsedBytes);
    const workOnce = found.tree.children.find(({ name }) => name === 'workOnce')!;
    expect(workOnce.children.map(({ name }) => name)).toContain('keepObjects');

    expect((await read('?limit=1')).sites).toHaveLength(1);
    const { text, headers } = await httpGet(`${base}/diagnostics/heap?format=text&limit=2`);
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(text).toMatch(
      /^[\d.]+ [KM]iB sampled of a heap of [\d.]+ MiB, a sample per 512\.0 KiB\n +LIVE +GROWTH +Z +ALLOCATED IN\n/,
    );
    expect(text).toMatch(
      new RegExp(`\\+[\\d.]+ [KM]?i?B/s +\\d+\\.\\d +app\\.cjs:${LINES.keepObjects} in keepObjects\n`),
    );
    for (const query of ['?limit=0', '?limit=201', '?format=pprof'])
      expect((await httpGet(`${base}/diagnostics/heap${query}`)).status).toBe(400);
  });

  it('says why when the heap cannot be sampled; profiles are refused, all else works', async () => {
    const base = await started(`
      const { Module } = require('node:module');
      const load = Module._load;
      Module._load = function (name) {
        if (name === '@datadog/pprof') throw Object.assign(new Error('no binary'), { code: 'ERR_DLOPEN_FAILED' });
        return load.apply(this, arguments);
      };
      process.stdin.resume();
    `);
    const reason = '@datadog/pprof cannot be loaded (ERR_DLOPEN_FAILED)';
    await eventually(async () => {
      const answer = heapSchema.parse((await httpGet(`${base}/diagnostics/heap`)).json());
      expect(answer).toMatchObject({ sampling: { running: false, unavailable: reason }, sites: [], sampledBytes: 0 });
    });
    expect((await httpGet(`${base}/diagnostics/heap?format=text`)).text).toBe(`${reason}\n`);
    for (const path of [
      '/debug/pprof/heap',
      '/debug/pprof/profile?seconds=1',
      '/diagnostics/profiles/heap?seconds=1',
    ]) {
      const answer = await httpGet(`${base}${path}`);
      expect([path, answer.status, answer.json()]).toEqual([
        path,
        503,
        expect.objectContaining({ code: 'UNAVAILABLE', message: expect.stringContaining(reason) }),
      ]);
    }
    expect((await httpGet(`${base}/debug/pprof/handles`)).status).toBe(200);
  });
});
