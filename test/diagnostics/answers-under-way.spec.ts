import { serveDiagnostics } from '../../src/diagnostics/standalone';
import { httpGet } from '../support/http-get';

const log = { info: () => undefined, warn: () => undefined };

/** Signals that were made to follow `source`; Node 20 never forgets one, also when it is long gone. */
function followersCount(source: AbortSignal): number {
  const symbol = Object.getOwnPropertySymbols(source).find(({ description }) => description === 'kDependantSignals');
  return symbol === undefined ? 0 : (source as unknown as Record<symbol, Set<unknown>>)[symbol]!.size;
}

describe('a request that was answered', () => {
  const { any } = AbortSignal;
  afterEach(() => {
    AbortSignal.any = any;
  });

  it('leaves nothing on a signal that outlives it', async () => {
    const sources = new Set<AbortSignal>();
    AbortSignal.any = (signals) => {
      for (const signal of signals) sources.add(signal);
      return any.call(AbortSignal, signals);
    };
    const served = await serveDiagnostics({ port: 0, log });
    try {
      for (let count = 0; count < 20; count++)
        expect((await httpGet(`http://127.0.0.1:${served.port}/diagnostics/history`)).status).toBe(200);
      expect(Math.max(0, ...[...sources].map(followersCount))).toBeLessThan(5);
    } finally {
      await served.close();
    }
  });
});
