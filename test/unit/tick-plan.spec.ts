import fc from 'fast-check';
import { MAX_TICKS_PER_LOOK, planTicks, type TickQuestion } from '../../src/schedules/tick-plan.js';

const SECOND = 1_000;
/** A tick each second. */
const everySecond = (after: number) => (Math.floor(after / SECOND) + 1) * SECOND;

function plan(more: Partial<TickQuestion>) {
  return planTicks({
    next: everySecond,
    nextTickAt: 100 * SECOND,
    now: 100 * SECOND,
    misfireThresholdMs: 10 * SECOND,
    misfire: 'once',
    catchupWindowMs: 3_600 * SECOND,
    ...more,
  });
}

describe('planTicks', () => {
  it('fires what is due and nothing before', () => {
    expect(plan({})).toEqual({ fire: [100 * SECOND], nextTickAt: 101 * SECOND });
    expect(plan({ now: 100 * SECOND - 1 })).toEqual({ fire: [], nextTickAt: 100 * SECOND });
  });

  it('fires every tick that is late by less than the threshold, whatever the policy', () => {
    for (const misfire of ['skip', 'once', 'all'] as const) {
      expect(plan({ misfire, now: 103 * SECOND })).toEqual({
        fire: [100, 101, 102, 103].map((second) => second * SECOND),
        nextTickAt: 104 * SECOND,
      });
    }
  });

  it('skip fires none of the overdue ticks, once the oldest, all every one', () => {
    const fresh = [140, 141, 142, 143, 144, 145, 146, 147, 148, 149, 150].map((second) => second * SECOND);
    expect(plan({ misfire: 'skip', now: 150 * SECOND }).fire).toEqual(fresh);
    expect(plan({ misfire: 'once', now: 150 * SECOND }).fire).toEqual([100 * SECOND, ...fresh]);
    expect(plan({ misfire: 'all', now: 150 * SECOND }).fire).toEqual(
      Array.from({ length: 51 }, (_, at) => (100 + at) * SECOND),
    );
  });

  it('never catches up beyond the window', () => {
    const late = { now: 150 * SECOND, catchupWindowMs: 20 * SECOND };
    expect(plan({ ...late, misfire: 'all' }).fire[0]).toBe(130 * SECOND);
    expect(plan({ ...late, misfire: 'once' }).fire[0]).toBe(130 * SECOND);
  });

  it('ends after the last of maxRuns', () => {
    expect(plan({ now: 105 * SECOND, remainingRuns: 2 })).toEqual({
      fire: [100 * SECOND, 101 * SECOND],
      nextTickAt: undefined,
    });
    expect(plan({ remainingRuns: 0 })).toEqual({ fire: [], nextTickAt: undefined });
  });

  it('ends when no tick is left', () => {
    expect(plan({ next: () => undefined })).toEqual({ fire: [100 * SECOND], nextTickAt: undefined });
  });

  it('deals with a year of missed ticks in bounded steps, without losing its place', () => {
    const year = 365 * 86_400 * SECOND;
    const { fire, nextTickAt } = plan({ misfire: 'all', now: 100 * SECOND + year, catchupWindowMs: 2 * year });
    expect(fire).toHaveLength(MAX_TICKS_PER_LOOK);
    expect(nextTickAt).toBe((100 + MAX_TICKS_PER_LOOK) * SECOND);
  });

  it('fires no tick twice and, with policy all, loses none inside the window', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 30 }), (pauses) => {
        const fired: number[] = [];
        let nextTickAt: number | undefined = 100 * SECOND;
        let now = 100 * SECOND;
        for (const pause of pauses) {
          now += pause * SECOND;
          for (let look = 0; nextTickAt !== undefined && nextTickAt <= now && look < 100; look += 1) {
            const step = plan({ misfire: 'all', now, nextTickAt, catchupWindowMs: 1e12 });
            fired.push(...step.fire);
            nextTickAt = step.nextTickAt;
          }
        }
        expect(fired).toEqual(Array.from({ length: fired.length }, (_, at) => (100 + at) * SECOND));
        expect(fired.at(-1)).toBe(now);
      }),
    );
  });
});
