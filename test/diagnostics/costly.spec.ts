import { get } from 'node:http';
import { serveDiagnostics, type ServedDiagnostics } from '../../src/diagnostics/standalone';
import { startLedger, stopLedger } from '../../src/ledger/index';
import { eventually } from '../support/eventually';
import { httpGet } from '../support/http-get';

describe('what costs much', () => {
  const lines: string[] = [];
  let served: ServedDiagnostics;
  let base: string;

  beforeAll(async () => {
    startLedger();
    served = await serveDiagnostics({
      port: 0,
      log: { info: (line) => lines.push(line), warn: (line) => lines.push(line) },
    });
    base = `http://127.0.0.1:${served.port}`;
  });
  beforeEach(() => lines.splice(0));
  afterAll(async () => {
    await served.close();
    stopLedger();
  });

  it.each(['/diagnostics/profiles/handles', '/debug/pprof/handles', '/debug/pprof/profile'])(
    '%s takes no longer than a minute, whatever it is told',
    async (path) => {
      const long = get(`${base}${path}?seconds=999999999`, { agent: false }).on('error', () => undefined);
      try {
        const second = await eventually(async () => {
          const answer = await httpGet(`${base}/diagnostics/report`);
          expect(answer.status).toBe(429);
          return answer;
        });
        expect(Number(second.headers['retry-after'])).toBeLessThanOrEqual(60);
        expect(Number(second.headers['retry-after'])).toBeGreaterThan(40);
      } finally {
        const closed = new Promise((resolve) => long.once('close', resolve));
        long.destroy();
        await closed;
      }
      // And whoever goes gives the place back.
      await eventually(async () => expect((await httpGet(`${base}/diagnostics/report`)).status).toBe(200));
    },
  );

  it('takes a second where it is told none', async () => {
    const startedMs = performance.now();
    expect((await httpGet(`${base}/diagnostics/profiles/handles?seconds=0`)).status).toBe(200);
    expect(performance.now() - startedMs).toBeGreaterThan(900);
  });

  it.each(['-1', '1.5', '1e3', '', '9999999999'])('is not told how long in a form like %j', async (seconds) => {
    const answer = await httpGet(`${base}/diagnostics/profiles/handles?seconds=${seconds}`);
    expect([answer.status, answer.json().code]).toEqual([400, 'INVALID_ARGUMENT']);
    expect(lines).toEqual([]);
  });

  it('is written to the log with who asked, and what is cheap is not', async () => {
    await httpGet(`${base}/diagnostics/groups`);
    expect(lines).toEqual([]);
    await httpGet(`${base}/diagnostics/report`);
    await httpGet(`${base}/diagnostics/groups?delta=1&kind=planted-in-the-query`);
    expect(lines).toEqual(['GET /diagnostics/report for 127.0.0.1', 'GET /diagnostics/groups for 127.0.0.1']);
  });
});
