import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DiagnosticsModule } from '../../src/diagnostics/index';
import { heapSampling } from '../../src/ledger/index';
import { serveDiagnostics } from '../../src/diagnostics/standalone';
import { httpGet } from '../support/http-get';
import { everyEndpoint, pathOf, titleOf } from './support/every-endpoint';

const log = { info: () => undefined, warn: () => undefined };
const ORIGIN = 'https://example.org';
/** What a browser asks before it lets a page of another site send more than a plain request. */
const preflight = {
  Origin: ORIGIN,
  'Access-Control-Request-Method': 'POST',
  'Access-Control-Request-Headers': 'authorization',
};

describe('a page of another site', () => {
  const table = everyEndpoint.map((endpoint) => [titleOf(endpoint), endpoint] as const);

  it.each(table)('is not told by OPTIONS that it may ask %s', async (_title, endpoint) => {
    const served = await serveDiagnostics({ port: 0, log });
    try {
      const base = `http://127.0.0.1:${served.port}`;
      const answer = await httpGet(`${base}${pathOf(endpoint)}`, { method: 'OPTIONS', headers: { ...preflight } });
      expect(answer.status).toBe(405);
      expect(answer.headers.allow).toBe(endpoint.method);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    } finally {
      await served.close();
    }
  });

  it('does not start the heap sampler', async () => {
    const served = await serveDiagnostics({ port: 0, log });
    try {
      const base = `http://127.0.0.1:${served.port}`;
      const foreign: Record<string, string>[] = [
        { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' },
        { Origin: ORIGIN },
      ];
      for (const headers of foreign) {
        for (const path of [
          '/diagnostics/heap',
          '/diagnostics/profiles/heap',
          '/debug/pprof/heap',
          '/debug/pprof/allocs',
        ]) {
          const answer = await httpGet(`${base}${path}`, { headers });
          expect([path, answer.status, answer.json().code]).toEqual([path, 403, 'FORBIDDEN']);
        }
      }
      expect(heapSampling('a test').status().holders).toEqual([]);
      const own = await httpGet(`${base}/diagnostics/heap`, { headers: { 'Sec-Fetch-Site': 'same-origin' } });
      expect(own.status).toBe(200);
    } finally {
      await served.close();
    }
  });

  describe('of an application that lets all sites in', () => {
    let app: INestApplication;
    let base: string;
    beforeAll(async () => {
      app = await NestFactory.create(DiagnosticsModule.forRoot(), { logger: false });
      app.enableCors({ origin: true, credentials: true });
      await app.listen(0, '127.0.0.1');
      base = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
    });
    afterAll(() => app.close());

    it.each(table.filter(([, { method }]) => method === 'GET'))(
      'may not read what %s answers',
      async (_t, endpoint) => {
        // Those that stream or wait are cut as soon as their head is there.
        const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
          const query = 'seconds' in endpoint.query.shape ? '?seconds=1' : '';
          const sent = request(`${base}${pathOf(endpoint)}${query}`, { agent: false, headers: { Origin: ORIGIN } });
          sent.on('error', reject).on('response', (response) => {
            response.on('error', () => undefined);
            resolve(response.headers);
            response.destroy();
          });
          sent.end();
        });
        expect(headers['x-content-type-options']).toBe('nosniff');
        expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
      },
    );

    it('may not have anything costly done, even where the application answered its preflight', async () => {
      const asked = await httpGet(`${base}/diagnostics/snapshot`, { method: 'OPTIONS', headers: { ...preflight } });
      expect(asked.status).toBeLessThan(500);
      const answer = await httpGet(`${base}/diagnostics/snapshot`, { method: 'POST', headers: { Origin: ORIGIN } });
      expect([answer.status, answer.json().code]).toEqual([403, 'FORBIDDEN']);
    });
  });
});
