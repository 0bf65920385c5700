import { historySchema } from '../../../src/contract/recorder.schema';
import type { DiagnosticsSource } from '../../../src/diagnostics/index';
import { countWork, startLedger, stopLedger, trackResource } from '../../../src/ledger/index';
import { eventually } from '../../support/eventually';
import { httpGet } from '../../support/http-get';
import { DiagnosticsApp } from '../support/diagnostics-app';

describe('GET /diagnostics/history', () => {
  let served: DiagnosticsApp;
  const kept: object[] = [];
  const source: DiagnosticsSource = {
    name: 'shop',
    read: () => null,
    inFlightCount: () => {
      countWork('order', 10);
      return 7;
    },
  };

  beforeAll(async () => {
    startLedger({ projectRoot: process.cwd() });
    served = await DiagnosticsApp.start({ sources: [source], recorder: { intervalMs: 100 } });
  });

  afterAll(async () => {
    await served.app.close();
    stopLedger();
  });

  const history = async (query = '') => {
    const answer = await httpGet(served.url(`/diagnostics/history${query}`));
    expect(answer.status).toBe(200);
    return historySchema.parse(answer.json());
  };

  it('holds samples of this process, each over the time since the one before', async () => {
    const seenCount = (await history()).samples.length;
    const before = process.cpuUsage();
    while (process.cpuUsage(before).user < 200_000);
    const { samples } = await eventually(async () => {
      const read = await history();
      expect(read.samples.length).toBeGreaterThan(seenCount + 3);
      return read;
    });
    for (const [index, next] of samples.slice(1).entries())
      expect(Math.abs(next.at - next.intervalMs - samples[index]!.at)).toBeLessThan(20);
    const last = samples.at(-1)!;
    expect(last.rssBytes).toBeGreaterThan(last.heapTotalBytes);
    expect(last.heapTotalBytes + last.externalBytes + last.nativeBytes).toBe(last.rssBytes);
    const usedMs = samples.reduce((sum, { cpuRatio, intervalMs }) => sum + cpuRatio * intervalMs, 0);
    expect(usedMs).toBeGreaterThanOrEqual(199);
    expect(last.openFdsCount).toBeGreaterThan(5);
    expect(last.inFlightCount).toBe(7);
    expect(last.workPerSecond['order']).toBeGreaterThan(0);
  });

  it('tells how late the event loop was', async () => {
    await eventually(async () => {
      const { at } = (await history()).samples.at(-1)!;
      const before = process.cpuUsage();
      while (process.cpuUsage(before).user < 150_000);
      await eventually(async () => expect((await history(`?from=${at}`)).samples.length).toBeGreaterThan(2));
      const late = (await history(`?from=${at}`)).samples.map(({ loopDelayP99Ms }) => loopDelayP99Ms ?? 0);
      // A block that begins within 20 ms of a sample escapes the histogram.
      expect(Math.max(...late)).toBeGreaterThan(100);
    });
  });

  it('names what is alive by kind, and the line of what grows', async () => {
    const timer = setInterval(() => {
      const resource = {};
      kept.push(resource);
      trackResource('spec-history', resource);
    }, 5);
    try {
      const group = await eventually(
        async () => {
          const last = (await history()).samples.at(-1)!;
          expect(last.kinds['spec-history']).toBeGreaterThan(100);
          const found = last.growing.find(({ kind }) => kind === 'spec-history');
          expect(found).toBeDefined();
          return found!;
        },
        { timeoutMs: 60_000 },
      );
      expect(group.site?.file).toBe('test/diagnostics/recorder/history.spec.ts');
      expect(group.ratePerSecond).toBeGreaterThan(0);
      const text = (await httpGet(served.url('/diagnostics/history?format=text'))).text;
      expect(text).toMatch(/^UNTIL .* RSS .* GROWS FASTEST$/m);
      expect(text).toMatch(
        /^\d{4}-.* MiB .* spec-history \+[\d.]+\/s at test\/diagnostics\/recorder\/history\.spec\.ts:\d+/m,
      );
    } finally {
      clearInterval(timer);
    }
  }, 90_000);

  it('can be cut and merged', async () => {
    const { samples } = await history();
    const from = samples.at(-3)!.at;
    expect((await history(`?from=${from}`)).samples.slice(0, 2)).toEqual(samples.slice(-2));
    const merged = (await history('?step=1000')).samples;
    expect(merged.length).toBeLessThan(samples.length);
    expect(merged[0]!.intervalMs).toBeGreaterThanOrEqual(1_000);
  });

  it.each(['?from=-1', '?from=x', '?step=999', '?step=3600001', '?format=xml', '?to=1'])(
    'refuses %s',
    async (query) => {
      const answer = await httpGet(served.url(`/diagnostics/history${query}`));
      expect([answer.status, answer.json().code]).toEqual([400, 'INVALID_ARGUMENT']);
    },
  );
});
