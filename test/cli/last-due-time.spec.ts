import fc from 'fast-check';
import { lastDueTime, PROBE_COUNT } from '../../src/cli/last-due-time.js';

const DAY_MS = 86_400_000;

/** Due every `stepMs` in bursts, each `burstMs` long, one every `periodMs`. */
function bursts({ periodMs, burstMs, stepMs }: { periodMs: number; burstMs: number; stepMs: number }) {
  const next = (fromMs: number): number => {
    const at = Math.ceil(fromMs / stepMs) * stepMs;
    return at % periodMs < burstMs ? at : next(Math.ceil((at + 1) / periodMs) * periodMs);
  };
  let probes = 0;
  return {
    probeCount: () => probes,
    from: (fromMs: number): Promise<number[]> => {
      probes += 1;
      const times: number[] = [];
      for (let at = next(fromMs); times.length < PROBE_COUNT; at = next(at + 1)) times.push(at);
      return Promise.resolve(times);
    },
    /** Counted backwards, one instant after the other. */
    last: (floorMs: number, boundMs: number): number | undefined => {
      for (let at = Math.floor((boundMs - 1) / stepMs) * stepMs; at >= floorMs;) {
        if (at % periodMs < burstMs) return at;
        at = Math.floor((Math.floor(at / periodMs) * periodMs + burstMs - 1) / stepMs) * stepMs;
      }
      return undefined;
    },
  };
}

it('finds the last due time of any timing, with few probes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        stepMs: fc.constantFrom(100, 1_000, 60_000, 3_600_000),
        stepsPerBurst: fc.integer({ min: 1, max: 100_000 }),
        burstsPerPeriod: fc.integer({ min: 1, max: 400 }),
        boundMs: fc.integer({ min: 20_000 * DAY_MS, max: 20_400 * DAY_MS }),
        ageMs: fc.integer({ min: 0, max: 4 * 365 * DAY_MS }),
      }),
      async ({ stepMs, stepsPerBurst, burstsPerPeriod, boundMs, ageMs }) => {
        const burstMs = stepMs * stepsPerBurst;
        const timing = bursts({ stepMs, burstMs, periodMs: burstMs * burstsPerPeriod });
        const floorMs = boundMs - ageMs;
        expect(await lastDueTime(timing.from, floorMs, boundMs)).toBe(timing.last(floorMs, boundMs));
        expect(timing.probeCount()).toBeLessThanOrEqual(50);
      },
    ),
    { numRuns: 300 },
  );
});

it('counts the floor in and the bound out', async () => {
  const times =
    (...all: number[]) =>
    (from: number) =>
      Promise.resolve(all.filter((at) => at >= from));
  expect(await lastDueTime(times(1_000, 2_000), 1_000, 2_000)).toBe(1_000);
  expect(await lastDueTime(times(1_000, 2_000), 1_001, 2_000)).toBeUndefined();
  expect(await lastDueTime(times(1_000, 2_000), 0, 2_001)).toBe(2_000);
  expect(await lastDueTime(times(), 0, 2_000)).toBeUndefined();
  expect(await lastDueTime(times(1_000), 3_000, 2_000)).toBeUndefined();
});
