import { FloorSeries } from '../../../src/ledger/heap/floor-series';
import { heapGrowth } from '../../../src/ledger/heap/heap-growth';
import { forceGc } from '../../support/force-gc';

const INTERVAL_BYTES = 512 * 1_024;
const SECOND = 1_000;

/** The same sequence at every run; uniform in [0, 1). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** How many samples V8 takes of so many bytes. */
function samplesOf(bytes: number, next: () => number): number {
  const mean = bytes / INTERVAL_BYTES;
  let count = 0;
  for (let product = next(); product > Math.exp(-mean); product *= next()) count++;
  return count;
}

describe('the floor of a site', () => {
  const read = (series: FloorSeries, at: number, bytes: Record<number, number>, collected = true): void =>
    series.add(at * SECOND, new Map(Object.entries(bytes).map(([site, held]) => [Number(site), held])), collected);
  /** Past the window that is left out. */
  const settled = (): FloorSeries => {
    const series = new FloorSeries();
    for (let at = 0; at < 8; at++) read(series, at, { 1: 10 });
    return series;
  };

  it('is the least of each window, so that what comes and goes does not lift it', () => {
    const series = settled();
    for (let at = 0; at < 32; at++) read(series, at, { 1: 100 + (at % 8 === 3 ? 0 : 50 * at) });
    expect(series.floors(1)[0]!.bytes).toEqual([100, 100, 100, 100]);
    expect(series.floors(1)[0]!.atMs).toEqual([7, 15, 23, 31].map((at) => at * SECOND));
    expect(series.level(1)).toBe(100);
  });

  it('ends a window only when the old generation was collected in it', () => {
    const series = settled();
    for (let at = 0; at < 40; at++) read(series, at, { 1: 100 + at }, false);
    expect(series.windowsCount).toBe(0);
    expect(series.provisional(1).bytes).toEqual([100]);
    expect(series.level(1)).toBe(100);
    read(series, 40, { 1: 70 }, true);
    for (let at = 41; at < 49; at++) read(series, at, { 1: 100 }, at === 45);
    expect(series.floors(1)[0]!.bytes).toEqual([70, 100]);
  });

  it('leaves out the first reads, in which what was there before is not seen', () => {
    const series = new FloorSeries();
    for (let at = 0; at < 24; at++) read(series, at, { 1: Math.min(at, 8) * 1_000 });
    expect(series.floors(1)[0]!.bytes).toEqual([8_000, 8_000]);
  });

  it('was nothing before the site came, is nothing once it has gone, and is forgotten then', () => {
    const series = settled();
    for (let at = 0; at < 12; at++) read(series, at, {});
    for (let at = 12; at < 24; at++) read(series, at, { 2: 500 });
    expect(series.floors(2)[0]!.bytes).toEqual([0, 0, 500]);
    for (let at = 24; at < 24 + 9 * 8; at++) read(series, at, {});
    expect(series.floors(2)).toEqual([]);
    expect(series.sitesCount).toBe(0);
  });

  it('looks back at three scales, eight windows each', () => {
    const series = settled();
    for (let at = 0; at < 8 * 16 * 10; at++) read(series, at, { 1: at });
    const [fine, middle, coarse] = series.floors(1);
    expect([fine!.bytes.length, middle!.bytes.length, coarse!.bytes.length]).toEqual([8, 8, 8]);
    expect(fine!.bytes[1]! - fine!.bytes[0]!).toBe(8);
    expect(middle!.bytes[1]! - middle!.bytes[0]!).toBe(32);
    expect(coarse!.bytes).toEqual([2, 3, 4, 5, 6, 7, 8, 9].map((window) => window * 128));
  });

  it('knows 2,048 sites at most, in less than a kilobyte each', () => {
    const gc = forceGc();
    const everySite = new Map(Array.from({ length: 3_000 }, (_, site) => [site, 1_000_000.5 + site]));
    const filled = (reads: number): FloorSeries => {
      const series = new FloorSeries();
      for (let at = 0; at < reads; at++) series.add(at * SECOND, everySite, true);
      return series;
    };
    // What the compiler keeps is not the table's.
    filled(20);
    gc();
    gc();
    const before = process.memoryUsage().heapUsed;
    const series = filled(8 * 16 * 8 + 8);
    gc();
    gc();
    const heldBytes = process.memoryUsage().heapUsed - before;
    expect(series.sitesCount).toBe(2_048);
    expect(heldBytes / series.sitesCount).toBeLessThan(1_000);
  });
});

describe('growth', () => {
  const nothing = { atMs: [], bytes: [] };
  const floor = (...bytes: number[]) => ({
    atMs: bytes.map((_, at) => at * 10 * SECOND),
    bytes: bytes.map((count) => count * INTERVAL_BYTES),
  });

  it('is the median slope per second, and as sure as the samples are many', () => {
    const growth = heapGrowth([floor(2, 4, 6, 8, 10, 12, 14, 18)], nothing, INTERVAL_BYTES);
    expect(growth.bytesPerSecond).toBeCloseTo(0.2 * INTERVAL_BYTES, -4);
    expect(growth.z).toBeCloseTo((18 - 2) / Math.sqrt(18 + 2 + 1));
  });

  it('counts as none once it has come to its end', () => {
    expect(heapGrowth([floor(0, 10, 20, 30, 40, 41, 40, 42)], nothing, INTERVAL_BYTES).z).toBe(0);
    expect(heapGrowth([floor(0, 6, 12, 18, 24, 30, 36, 42)], nothing, INTERVAL_BYTES).z).toBeGreaterThan(3.5);
  });

  it('comes from the scale that is surest', () => {
    const coarse = floor(0, 10, 20, 30);
    expect(heapGrowth([floor(28, 30), coarse], nothing, INTERVAL_BYTES).floor).toBe(coarse);
    expect(heapGrowth([], nothing, INTERVAL_BYTES)).toMatchObject({ bytesPerSecond: 0, z: 0 });
  });

  it('has a slope before it is sure, from what may still be garbage', () => {
    const growth = heapGrowth([], floor(4, 24), INTERVAL_BYTES);
    expect(growth.z).toBe(0);
    expect(growth.bytesPerSecond).toBe(2 * INTERVAL_BYTES);
  });

  // The arithmetic of the measurements: samples come by chance, 24 caches of 1 MB are renewed, one function leaks.
  it('names a leak first, and none of 24 caches, over twenty runs', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const next = random(seed);
      const series = new FloorSeries();
      let leaked = 0;
      for (let at = 0; at < 6 * 8; at++) {
        const bytes = new Map<number, number>();
        for (let cache = 1; cache <= 24; cache++) bytes.set(cache, samplesOf(1e6, next) * INTERVAL_BYTES);
        leaked += samplesOf(1e6, next) * INTERVAL_BYTES;
        bytes.set(0, leaked);
        series.add(at * SECOND, bytes, true);
      }
      const z = (site: number) => heapGrowth(series.floors(site), series.provisional(site), INTERVAL_BYTES).z;
      const others = Array.from({ length: 24 }, (_, cache) => z(cache + 1));
      expect(z(0)).toBeGreaterThan(3.5);
      expect(Math.max(...others)).toBeLessThan(3.5);
      expect(z(0)).toBeGreaterThan(Math.max(...others));
    }
  });
});
