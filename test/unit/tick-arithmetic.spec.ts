import fc from 'fast-check';
import { jitterOf } from '../../src/schedules/jitter.js';
import { TickTimes } from '../../src/schedules/tick-times.js';

const SEED = 42;
const instant = fc.integer({ min: 0, max: Date.UTC(2060, 0, 1) });

describe('everyMs', () => {
  it('ticks at every multiple counted from startAt, or from the epoch, and nowhere else', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 400_000_000 }),
        fc.option(instant, { nil: undefined }),
        fc.option(instant, { nil: undefined }),
        instant,
        (everyMs, startAt, endAt, after) => {
          const tick = new TickTimes({ everyMs, startAt, endAt, timezone: 'UTC' }).next(after);
          // In whole numbers, by division with remainder instead of rounding.
          const anchor = BigInt(startAt ?? 0);
          const low = BigInt(startAt === undefined || after >= startAt ? after + 1 : startAt);
          const rest = (((low - anchor) % BigInt(everyMs)) + BigInt(everyMs)) % BigInt(everyMs);
          const expected = Number(rest === 0n ? low : low + BigInt(everyMs) - rest);
          expect(tick).toBe(endAt !== undefined && expected > endAt ? undefined : expected);
        },
      ),
      { seed: SEED, numRuns: 5_000 },
    );
  });
});

describe('at', () => {
  it('ticks once, when it is neither over nor outside startAt and endAt', () => {
    const near = fc.integer({ min: 1_000, max: 1_010 });
    const bound = fc.option(near, { nil: undefined });
    fc.assert(
      fc.property(near, bound, bound, near, (at, startAt, endAt, after) => {
        const isDue = at > after && (startAt === undefined || at >= startAt) && (endAt === undefined || at <= endAt);
        expect(new TickTimes({ at, startAt, endAt, timezone: 'UTC' }).next(after)).toBe(isDue ? at : undefined);
      }),
      { seed: SEED, numRuns: 5_000 },
    );
  });
});

describe('cron', () => {
  const timing = fc.record({
    cron: fc.constantFrom(
      '*/13 * * * *',
      '30 2 * * *',
      '15,45 1-3 * * 0',
      '10 0 0 L * *',
      '5 * * * * *',
      '0 9 * * 1#2',
    ),
    timezone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/Santiago', 'Australia/Lord_Howe'),
  });

  it('ticks the same whatever instant is asked from: the next tick does not change until it is there', () => {
    fc.assert(
      fc.property(timing, instant, fc.nat(), (cron, after, share) => {
        const times = new TickTimes(cron);
        const tick = times.next(after) as number;
        expect(tick).toBeGreaterThan(after);
        expect(times.next(after + (share % (tick - after)))).toBe(tick);
        expect(times.next(tick)).toBeGreaterThan(tick);
      }),
      { seed: SEED, numRuns: 5_000 },
    );
  });

  it('keeps within startAt and endAt, both included, and drops nothing there', () => {
    fc.assert(
      fc.property(timing, instant, fc.nat(9), (cron, from, steps) => {
        const free = new TickTimes(cron);
        const ticks = [free.next(from) as number];
        while (ticks.length <= steps) ticks.push(free.next(ticks[ticks.length - 1]) as number);
        const bounded = new TickTimes({ ...cron, startAt: ticks[0], endAt: ticks[steps] });
        const found: number[] = [];
        for (let tick = bounded.next(0); tick !== undefined; tick = bounded.next(tick)) found.push(tick);
        expect(found).toEqual(ticks);
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });
});

describe('jitter', () => {
  it('is a whole number from 0 to its bound, the same whenever it is asked', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), instant, fc.nat(86_400_000), (namespace, id, tickAt, jitterMs) => {
        const jitter = jitterOf(namespace, id, tickAt, jitterMs);
        expect(Number.isInteger(jitter) && jitter >= 0 && jitter <= jitterMs).toBe(true);
        expect(jitterOf(namespace, id, tickAt, jitterMs)).toBe(jitter);
      }),
      { seed: SEED, numRuns: 5_000 },
    );
  });

  it('reaches both ends of a small bound', () => {
    const drawn = new Set(Array.from({ length: 200 }, (_, tick) => jitterOf('default', 'a', tick, 3)));
    expect([...drawn].sort()).toEqual([0, 1, 2, 3]);
  });
});
