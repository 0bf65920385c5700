import fc from 'fast-check';
import { MAX_TICKS_PER_LOOK, type PlannedTicks, planTicks, type TickQuestion } from '../../src/schedules/tick-plan.js';
import { tickSpan } from '../../src/schedules/tick-span.js';

const SECOND = 1_000;
/** A tick each second. */
const everySecond = (after: number) => (Math.floor(after / SECOND) + 1) * SECOND;
const asInterval: TickQuestion['times'] = {
  next: everySecond,
  span: (from, until, limit) => tickSpan(everySecond, SECOND, from, until, limit),
};
/** The same ticks, looked up one by one as those of a cron expression are. */
const asCron: TickQuestion['times'] = {
  next: everySecond,
  span: (from, until, limit) => tickSpan(everySecond, undefined, from, until, limit),
};

function plan(more: Partial<TickQuestion>) {
  return planTicks({
    times: asInterval,
    nextTickAt: 100 * SECOND,
    now: 100 * SECOND,
    misfireThresholdMs: 10 * SECOND,
    misfire: 'once',
    catchupWindowMs: 3_600 * SECOND,
    ...more,
  });
}

/** In seconds: `5` fired, `5-9 paused` not. */
function shown(entries: readonly PlannedTicks[]): (number | string)[] {
  return entries.map((entry) =>
    entry.fire
      ? entry.tickAt / SECOND
      : `${entry.from / SECOND}-${entry.to / SECOND}:${entry.count} ${entry.outcome} ${entry.reason}`,
  );
}

const seconds = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

describe.each([
  ['an interval', asInterval],
  ['a cron expression', asCron],
])('planTicks of %s', (_kind, times) => {
  it('fires what is due and nothing before', () => {
    expect(plan({ times })).toEqual({ entries: [{ fire: true, tickAt: 100 * SECOND }], nextTickAt: 101 * SECOND });
    expect(plan({ times, now: 100 * SECOND - 1 })).toEqual({ entries: [], nextTickAt: 100 * SECOND });
  });

  it('fires every tick that is late by less than the threshold, whatever the policy', () => {
    for (const misfire of ['skip', 'once', 'all'] as const) {
      expect(shown(plan({ times, misfire, now: 103 * SECOND }).entries)).toEqual([100, 101, 102, 103]);
    }
  });

  it('skip fires none of the overdue ticks, once the newest, all every one', () => {
    const late = { times, now: 150 * SECOND };
    expect(shown(plan({ ...late, misfire: 'skip' }).entries)).toEqual([
      '100-139:40 missed misfire-skip',
      ...seconds(140, 150),
    ]);
    expect(shown(plan({ ...late, misfire: 'once' }).entries)).toEqual([
      '100-138:39 missed misfire-once',
      ...seconds(139, 150),
    ]);
    expect(shown(plan({ ...late, misfire: 'all' }).entries)).toEqual(seconds(100, 150));
  });

  it('never catches up beyond the window', () => {
    const late = { times, now: 150 * SECOND, catchupWindowMs: 20 * SECOND };
    expect(shown(plan({ ...late, misfire: 'all' }).entries)).toEqual([
      '100-129:30 missed catchup-window',
      ...seconds(130, 150),
    ]);
    expect(shown(plan({ ...late, misfire: 'once' }).entries)).toEqual([
      '100-129:30 missed catchup-window',
      '130-138:9 missed misfire-once',
      ...seconds(139, 150),
    ]);
  });

  it('skips what fell into a pause', () => {
    expect(shown(plan({ times, now: 105 * SECOND, skipUntil: 102 * SECOND }).entries)).toEqual([
      '100-102:3 skipped paused',
      103,
      104,
      105,
    ]);
    const long = plan({ times, misfire: 'all', now: 150 * SECOND, skipUntil: 120 * SECOND });
    expect(shown(long.entries)).toEqual(['100-120:21 skipped paused', ...seconds(121, 150)]);
  });

  it('fires no more than maxRuns leaves', () => {
    expect(plan({ times, now: 105 * SECOND, remainingRuns: 2 }).nextTickAt).toBe(102 * SECOND);
    expect(plan({ times, remainingRuns: 0 })).toEqual({ entries: [], nextTickAt: 100 * SECOND });
  });

  it('deals with a day of missed ticks in bounded steps, without losing its place', () => {
    const now = 86_500 * SECOND;
    const all = plan({ times, misfire: 'all', now, catchupWindowMs: 1e12 });
    expect(all.entries).toHaveLength(MAX_TICKS_PER_LOOK);
    expect(all.nextTickAt).toBe((100 + MAX_TICKS_PER_LOOK) * SECOND);
    const { entries, looks } = untilNow({ times, misfire: 'once', now, catchupWindowMs: 1e12 });
    expect(looks).toBeLessThan(400);
    expect(countsOf(entries)).toEqual({ fired: 12, missed: 86_389 });
  });

  it('puts every tick into exactly one entry, in order, whatever the policy', () => {
    const policy = fc.record({
      misfire: fc.constantFrom('skip' as const, 'once' as const, 'all' as const),
      now: fc.integer({ min: 100, max: 3_000 }).map((second) => second * SECOND + 500),
      misfireThresholdMs: fc.integer({ min: 0, max: 60 * SECOND }),
      catchupWindowMs: fc.integer({ min: 1, max: 3_000 * SECOND }),
      skipUntil: fc.option(fc.integer({ min: 0, max: 3_000 * SECOND }), { nil: undefined }),
    });
    fc.assert(
      fc.property(policy, (question) => {
        const { entries } = untilNow({ times, ...question });
        let expected = 100 * SECOND;
        for (const entry of entries) {
          const [from, to, count] = entry.fire ? [entry.tickAt, entry.tickAt, 1] : [entry.from, entry.to, entry.count];
          expect(from).toBe(expected);
          expect(to).toBe(from + (count - 1) * SECOND);
          expected = to + SECOND;
        }
        expect(expected).toBe(everySecond(question.now));
      }),
      { numRuns: 100 },
    );
  });
});

/** Looks again until nothing is due. */
function untilNow(question: Partial<TickQuestion> & { now: number }): { entries: PlannedTicks[]; looks: number } {
  const entries: PlannedTicks[] = [];
  let nextTickAt: number | undefined = 100 * SECOND;
  let looks = 0;
  while (nextTickAt !== undefined && nextTickAt <= question.now) {
    const step = plan({ ...question, nextTickAt });
    entries.push(...step.entries);
    nextTickAt = step.nextTickAt;
    looks += 1;
  }
  return { entries, looks };
}

function countsOf(entries: readonly PlannedTicks[]): { fired: number; missed: number } {
  const counts = { fired: 0, missed: 0 };
  for (const entry of entries) {
    if (entry.fire) counts.fired += 1;
    else counts.missed += entry.count;
  }
  return counts;
}

it('planTicks ends when no tick is left', () => {
  const times = { next: () => undefined, span: asCron.span };
  expect(plan({ times })).toEqual({ entries: [{ fire: true, tickAt: 100 * SECOND }], nextTickAt: undefined });
});
