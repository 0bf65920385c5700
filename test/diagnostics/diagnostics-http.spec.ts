import { diagnosticsSummarySchema } from '../../src/contract/diagnostics.schema';
import { httpGet } from '../support/http-get';
import { DiagnosticsApp } from './support/diagnostics-app';

const SECRET = 'do-not-show-4711';

describe('GET /diagnostics', () => {
  let served: DiagnosticsApp;

  beforeAll(async () => {
    process.env['DIAGNOSTICS_SPEC_SECRET'] = SECRET;
    process.argv.push(`--password=${SECRET}`);
    served = await DiagnosticsApp.start({ sources: [{ name: 'shop', read: () => ({ ordersCount: 3 }) }] });
  });

  afterAll(async () => {
    delete process.env['DIAGNOSTICS_SPEC_SECRET'];
    process.argv.pop();
    await served.app.close();
  });

  it.each(['/diagnostics', '/diagnostics?format=json', '/diagnostics.json'])(
    '%s answers JSON that fits the contract',
    async (path) => {
      const answer = await httpGet(served.url(path));
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
      const summary = diagnosticsSummarySchema.parse(answer.json());
      expect(summary.sources).toEqual({ shop: { ordersCount: 3 } });
      for (const [name, section] of Object.entries(summary))
        expect([name, section]).not.toEqual([name, { error: expect.anything() }]);
    },
  );

  it('answers JSON to a browser, too', async () => {
    const answer = await httpGet(served.url('/diagnostics'), {
      headers: { Host: `localhost:${served.port}`, Accept: 'text/html,*/*;q=0.8' },
    });
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.json()).toHaveProperty('heap.usedBytes');
  });

  it('?format=text answers aligned lines with units', async () => {
    const answer = await httpGet(served.url('/diagnostics?format=text'));
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(answer.text).toMatch(/^takenAt {2,}\d{4}-\d\d-\d\dT[\d:.]+Z$/m);
    expect(answer.text).toMatch(/^heap\n {2}usedBytes {2,}[\d.]+ MiB$/m);
    expect(answer.text).toMatch(/^ {2}old_space\.usedBytes {2,}[\d.]+ MiB$/m);
    expect(answer.text).toMatch(/^ {2}utilizationRatio {2,}[\d.]+ %$/m);
    expect(answer.text).toMatch(/^shop\n {2}ordersCount {2,}3$/m);
  });

  it.each(['/diagnostics', '/diagnostics?format=text', '/diagnostics?format=xml'])(
    '%s may not be stored, sniffed, framed or run',
    async (path) => {
      const { headers } = await httpGet(served.url(path));
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'content-security-policy': expect.stringMatching(/^default-src 'none'/),
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
      });
      expect(headers).not.toHaveProperty('access-control-allow-origin');
    },
  );

  it.each([
    ['an unknown format', '/diagnostics?format=xml'],
    ['an empty format', '/diagnostics?format='],
    ['a format given twice', '/diagnostics?format=json&format=text'],
    ['an unknown parameter', '/diagnostics?verbose=1'],
    ['a parameter that only the other path knows', '/diagnostics.json?format=json'],
    ['a parameter called __proto__', '/diagnostics?__proto__=1'],
  ])('refuses %s with 400 INVALID_ARGUMENT', async (_what, path) => {
    const answer = await httpGet(served.url(path));
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.any(String), retryable: false });
  });

  it('shows neither environment nor arguments', async () => {
    for (const path of ['/diagnostics', '/diagnostics?format=text']) {
      const { text } = await httpGet(served.url(path));
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain('DIAGNOSTICS_SPEC_SECRET');
    }
  });
});
