import { historySampleSchema } from '../../../src/contract/recorder.schema';
import { HistoryPart } from '../../../src/diagnostics/history/history.part';
import { PastLives } from '../../../src/diagnostics/lives/past-lives';
import { BoundedSeries } from '../../../src/diagnostics/recorder/bounded-series';
import { HistoryRing } from '../../../src/diagnostics/recorder/history-ring';
import { mergedBySteps, mergedSample } from '../../../src/diagnostics/recorder/merged-sample';
import { sample } from './support/sample';

const MiB = 2 ** 20;
const HOUR_MS = 3_600_000;

/** A ring that has seen `hours` of samples, one every 10 s, the n-th with n open files. */
function filled(hours: number): { ring: HistoryRing; endedAt: number } {
  const ring = new HistoryRing();
  let at = 0;
  for (let count = 1; count <= hours * 360; count++) ring.add(sample({ at: (at += 10_000), openFdsCount: count }));
  return { ring, endedAt: at };
}

describe('the ring of samples', () => {
  it('keeps the last hour as it was, and 24 hours in steps of 4 minutes, without a gap or an overlap', () => {
    const { ring, endedAt } = filled(30);
    const samples = ring.samples();
    const fine = samples.filter(({ at }) => at > endedAt - HOUR_MS);
    expect(fine).toHaveLength(360);
    expect(fine.every(({ intervalMs }) => intervalMs === 10_000)).toBe(true);
    const coarse = samples.slice(0, -362);
    expect(coarse.every(({ intervalMs }) => intervalMs === 240_000)).toBe(true);
    for (const [index, next] of samples.slice(1).entries()) expect(next.at - next.intervalMs).toBe(samples[index]!.at);
    expect(endedAt - samples[0]!.at).toBeLessThanOrEqual(24 * HOUR_MS);
    expect(endedAt - samples[0]!.at).toBeGreaterThan(24 * HOUR_MS - 2 * 240_000);
    expect(samples.at(-1)).toEqual(ring.last());
  });

  it('holds no more than 1 MiB, however much is in a sample and however often one comes', () => {
    const ring = new HistoryRing();
    const kinds = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`kind-${index}-${'x'.repeat(100)}`, 1]));
    for (let count = 1; count <= 20_000; count++) ring.add(sample({ at: count * 1_000, intervalMs: 1_000, kinds }));
    expect(ring.heldBytes).toBeLessThan(1.1 * MiB);
    expect(ring.heldBytes).toBeGreaterThan(0.5 * MiB);
    // What did not fit at full resolution is still there, merged.
    const samples = ring.samples();
    expect(samples.at(-1)!.at).toBe(20_000_000);
    expect(samples[0]!.intervalMs).toBe(240_000);
    for (const [index, next] of samples.slice(1).entries()) expect(next.at - next.intervalMs).toBe(samples[index]!.at);
  });

  it('answers what ended after `from`', () => {
    const { ring, endedAt } = filled(0.5);
    expect(ring.samples(endedAt - 30_000).map(({ at }) => endedAt - at)).toEqual([20_000, 10_000, 0]);
    expect(ring.samples(endedAt)).toEqual([]);
  });
});

describe('merged samples', () => {
  const older = sample({
    at: 30_000,
    intervalMs: 30_000,
    cpuRatio: 0.1,
    rssBytes: 90,
    nativeBytes: 7,
    loopDelayP99Ms: 4,
    gcMs: 5,
    openFdsCount: 3,
    kinds: { timer: 1 },
    workPerSecond: { command: 4, old: 1 },
  });
  const newer = sample({
    at: 40_000,
    intervalMs: 10_000,
    cpuRatio: 0.9,
    rssBytes: 50,
    nativeBytes: 9,
    loopDelayP99Ms: null,
    gcMs: 1,
    openFdsCount: 2,
    kinds: { socket: 2 },
    workPerSecond: { command: 8 },
  });

  it('average rates over the time, add up collections, and keep the memory of the larger moment', () => {
    expect(historySampleSchema.parse(mergedSample(older, newer))).toMatchObject({
      at: 40_000,
      intervalMs: 40_000,
      cpuRatio: 0.3,
      rssBytes: 90,
      nativeBytes: 7,
      loopDelayP99Ms: 4,
      gcMs: 6,
      openFdsCount: 2,
      kinds: { socket: 2 },
      workPerSecond: { command: 5, old: 0.75 },
    });
  });

  it('span at least the step, in order', () => {
    const samples = Array.from({ length: 10 }, (_, index) => sample({ at: (index + 1) * 10_000 }));
    expect(mergedBySteps(samples, 25_000).map(({ at, intervalMs }) => [at, intervalMs])).toEqual([
      [30_000, 30_000],
      [60_000, 30_000],
      [90_000, 30_000],
      [100_000, 10_000],
    ]);
    expect(mergedBySteps(samples, 1_000)).toEqual(samples);
  });

  it('of a whole day stay within a number, cover all of it, and end with the last one', () => {
    const series = new BoundedSeries(720, 1);
    for (let count = 1; count <= 86_400; count++)
      series.add(sample({ at: count * 1_000, intervalMs: 1_000, rssBytes: count, openFdsCount: count }));
    expect(series.samples.length).toBeLessThanOrEqual(720);
    expect(series.samples.length).toBeGreaterThan(360);
    expect(series.samples.reduce((sum, { intervalMs }) => sum + intervalMs, 0)).toBe(86_400_000);
    expect(series.samples.at(-1)).toMatchObject({ at: 86_400_000, rssBytes: 86_400, openFdsCount: 86_400 });
  });

  it('become fewer until the answer is short enough', () => {
    const { ring } = filled(24);
    const life = { id: 'own', instance: 'spec', pid: 1, startedAt: 0, identity: null };
    const part = new HistoryPart(ring, life, new PastLives(life, undefined, undefined));
    const whole = part.read({});
    const short = part.readWithin(48 * 1_024, {});
    expect(JSON.stringify(whole).length).toBeGreaterThan(200_000);
    expect(JSON.stringify(short).length).toBeLessThanOrEqual(48 * 1_024);
    expect(short.samples.length).toBeGreaterThan(10);
    const span = ({ samples }: typeof short) => samples.reduce((sum, { intervalMs }) => sum + intervalMs, 0);
    expect(span(short)).toBe(span(whole));
    expect(part.readWithin(10, {}).samples).toHaveLength(1);
  });
});
