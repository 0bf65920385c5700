import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { heapSchema } from '../../../src/contract/heap.schema';
import { livesSchema } from '../../../src/contract/recorder.schema';
import { ledgerSnapshot, startLedger, stopLedger } from '../../../src/ledger/index';
import {
  serveDiagnostics,
  type ServedDiagnostics,
  type ServeDiagnosticsOptions,
} from '../../../src/diagnostics/standalone';
import { eventually } from '../../support/eventually';
import { httpGet } from '../../support/http-get';

const log = { info: () => undefined, warn: () => undefined };

describe('serveDiagnostics', () => {
  let served: ServedDiagnostics | undefined;
  const serve = async (options: Partial<ServeDiagnosticsOptions> = {}): Promise<string> => {
    served = await serveDiagnostics({ port: 0, log, ...options });
    return `http://127.0.0.1:${served.port}`;
  };

  afterEach(async () => {
    await served?.close();
    served = undefined;
  });

  it('serves the summary with the sources of the application', async () => {
    const base = await serve({ sources: [{ name: 'shop', read: () => ({ openOrdersCount: 7 }) }] });
    const answer = await httpGet(`${base}/diagnostics`);
    expect(answer.json().sources).toEqual({ shop: { openOrdersCount: 7 } });
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });

  it('is not counted, whether the ledger started before or after', async () => {
    const before = await serve();
    startLedger();
    try {
      await httpGet(`${before}/diagnostics`);
      const after = await serveDiagnostics({ port: 0, log, sources: [{ name: 'slow', read: async () => 1 }] });
      await httpGet(`http://127.0.0.1:${after.port}/diagnostics`);
      const { groups } = ledgerSnapshot();
      // The requests of this test are its own, and so is the Buffer of an answer, when it is sampled; nothing of the side that
      // answered them is there.
      const others = groups.filter(({ kind, site }) => kind !== 'buffer' || !site?.file.endsWith('/http-get.ts'));
      expect(new Set(others.map(({ kind }) => kind))).toEqual(new Set(['socket.client', 'http.request']));
      await after.close();
    } finally {
      stopLedger();
    }
  });

  it.each(['0.0.0.0', '::'])('refuses to listen on %s without a token', async (host) => {
    await expect(serve({ host })).rejects.toMatchObject({ code: 'INSECURE_BIND' });
    await expect(serve({ host, token: '' })).rejects.toMatchObject({ code: 'INSECURE_BIND' });
  });

  it('listens wide with a token, or with the switch that says so', async () => {
    await serve({ host: '0.0.0.0', token: 'a-token' });
    await served!.close();
    const base = await serve({ host: '0.0.0.0', insecure: true });
    expect((await httpGet(`${base}/diagnostics`, { headers: { Host: 'other.example.org' } })).status).toBe(403);
  });

  it('resolves a name before it judges it', async () => {
    await serve({ host: 'localhost' });
    expect(['127.0.0.1', '::1']).toContain(served!.host);
  });

  it('tells that a port is taken, and has nothing left open then', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await expect(serve({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    other.close();
  });

  it('leaves /metrics out where it is told to', async () => {
    const base = await serve();
    expect((await httpGet(`${base}/metrics`)).text).toContain('mu_memory_rss_bytes');
    await served!.close();
    const without = await serve({ metrics: false });
    expect((await httpGet(`${without}/metrics`)).status).toBe(404);
    expect((await httpGet(`${without}/diagnostics/metrics`)).text).toContain('mu_memory_rss_bytes');
  });

  it('records where and as often as it is told to, and samples the heap from the start on', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'commander-served-'));
    try {
      const recorder = { directory, instance: 'shop', intervalMs: 50 };
      const base = await serve({ recorder, heapSampling: 'always' });
      const lives = await eventually(async () => {
        const answer = livesSchema.parse((await httpGet(`${base}/diagnostics/lives`)).json());
        return answer.current.lastSample !== null && answer;
      });
      expect(lives.current.instance).toBe('shop');
      expect(lives.current.lastSample!.intervalMs).toBeLessThan(10_000);
      expect(readdirSync(directory)).toContainEqual(expect.stringMatching(/^shop@/));
      const { sampling } = heapSchema.parse((await httpGet(`${base}/diagnostics/heap`)).json());
      expect(sampling.startedAt).toBeLessThan(lives.takenAt);
      await served!.close();
      await expect(serve({ recorder: { instance: 'no/name' } })).rejects.toThrow('recorder.instance');
    } finally {
      await served!.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('gives the port back when closed, also while somebody waits for an answer, and may be closed twice', async () => {
    const lines: string[] = [];
    const base = await serve({ log: { ...log, info: (line) => lines.push(line) } });
    const waiting = httpGet(`${base}/diagnostics/groups?delta=30`);
    // Costly requests are logged when they begin.
    await eventually(() => lines.length === 1);
    await Promise.all([served!.close(), served!.close()]);
    expect((await waiting).status).toBe(503);
    await expect(httpGet(`${base}/diagnostics`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
