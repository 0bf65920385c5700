import { RequestRate } from '../../src/diagnostics/http/request-rate';
import { httpGet } from '../support/http-get';
import { DiagnosticsApp } from './support/diagnostics-app';

describe('how many requests the diagnostics take', () => {
  it('is a burst at once and a rate for ever', () => {
    let nowMs = 0;
    const rate = new RequestRate(2, 3, () => nowMs);
    const taken = (count: number): number => {
      let admitted = 0;
      for (let index = 0; index < count; index++) {
        try {
          rate.take();
          admitted++;
        } catch {
          // Counted by not being admitted.
        }
      }
      return admitted;
    };
    expect(taken(10)).toBe(3);
    nowMs += 1_000;
    expect(taken(10)).toBe(2);
    nowMs += 60_000;
    expect(taken(10)).toBe(3);
  });

  it('says when to come back, and strangers do not use up what is there for others', async () => {
    const served = await DiagnosticsApp.start();
    try {
      const stranger = { headers: { Host: 'example.org' } };
      const answers = await Promise.all(
        Array.from({ length: 200 }, () => httpGet(served.url('/diagnostics/groups/x'), stranger)),
      );
      const statuses = answers.map(({ status }) => status);
      expect(new Set(statuses)).toEqual(new Set([403, 429]));
      const limited = answers.find(({ status }) => status === 429)!;
      expect(Number(limited.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(limited.json()).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
      expect((await httpGet(served.url('/diagnostics'))).status).toBe(200);
    } finally {
      await served.app.close();
    }
  });

  it('refuses a path beyond its bound', async () => {
    const served = await DiagnosticsApp.start();
    try {
      const at = (length: number) => httpGet(served.url(`/diagnostics/groups/${'x'.repeat(length)}`));
      expect((await at(100)).status).toBe(404);
      expect((await at(3_000)).json()).toMatchObject({ code: 'INVALID_ARGUMENT' });
    } finally {
      await served.app.close();
    }
  });
});
