import fc from 'fast-check';
import { CommandError } from '../../src/contract/command-error.js';
import { scheduleCommands } from '../../src/contract/schedule.schema.js';
import { type PreviewQuestion, previewTicks } from '../../src/schedules/schedule-preview.js';
import { TickTimes } from '../../src/schedules/tick-times.js';

const at = (text: string) => Date.parse(text);
const NEW_YEAR = at('2026-01-01T00:00:00Z');

function preview(timing: Partial<PreviewQuestion['timing']>, { count = 3, from = NEW_YEAR } = {}) {
  const reply = previewTicks({ timing: { timezone: 'UTC', ...timing }, count, from });
  expect(scheduleCommands['schedule.preview'].reply.parse(reply)).toEqual(reply);
  return { ...reply, codes: reply.warnings.map(({ code }) => code) };
}

describe('runs', () => {
  it('are the next ones, the first instant included', () => {
    expect(preview({ cron: '0 0 * * *' }).runs).toEqual([
      NEW_YEAR,
      at('2026-01-02T00:00:00Z'),
      at('2026-01-03T00:00:00Z'),
    ]);
    expect(preview({ cron: '0 0 * * *' }, { from: NEW_YEAR + 1 }).runs[0]).toBe(at('2026-01-02T00:00:00Z'));
    expect(preview({ everyMs: 1_000 }, { count: 2 }).runs).toEqual([NEW_YEAR, NEW_YEAR + 1_000]);
    expect(preview({ at: NEW_YEAR }).runs).toEqual([NEW_YEAR]);
  });

  it('end with maxRuns and endAt, and begin with startAt', () => {
    expect(preview({ everyMs: 1_000, maxRuns: 2 }).runs).toHaveLength(2);
    expect(preview({ everyMs: 1_000, endAt: NEW_YEAR + 1_000 }).runs).toEqual([NEW_YEAR, NEW_YEAR + 1_000]);
    expect(preview({ everyMs: 1_000, startAt: NEW_YEAR + 500 }).runs[0]).toBe(NEW_YEAR + 500);
  });

  it('are nominal: jitter delays what is due, not what it is called', () => {
    const request = { timezone: 'UTC', everyMs: 60_000, jitterMs: 30_000 };
    expect(previewTicks({ timing: request, count: 1, from: NEW_YEAR }).runs).toEqual([NEW_YEAR]);
  });

  it('are what TickTimes says, for any timing', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('*/7 * * * *', '30 2 * * *', '0 0 29 2 *', '0 9 * * 1-5'),
        fc.constantFrom('UTC', 'Europe/Berlin', 'America/Santiago'),
        fc.integer({ min: NEW_YEAR, max: NEW_YEAR + 4e10 }),
        fc.integer({ min: 1, max: 20 }),
        (cron, timezone, from, count) => {
          const times = new TickTimes({ cron, timezone });
          const expected: number[] = [];
          for (let last = from - 1; expected.length < count; last = expected[expected.length - 1]) {
            expected.push(times.next(last) as number);
          }
          expect(preview({ cron, timezone }, { count, from }).runs).toEqual(expected);
        },
      ),
      { seed: 3, numRuns: 100 },
    );
  });

  it('refuses what is no expression and no zone', () => {
    expect(() => preview({ cron: '99 * * * *' })).toThrow(CommandError);
    expect(() => preview({ cron: '* * * * *', timezone: 'Mars/Olympus' })).toThrow(CommandError);
  });
});

describe('NEVER_FIRES', () => {
  it.each([
    ['a date that does not exist', { cron: '0 0 30 2 *' }, /no time from 2026-01-01.* matches "0 0 30 2 \*"/],
    ['an instant that is over', { at: NEW_YEAR - 1 }, /2025-12-31.* is before 2026-01-01/],
    ['an end before the first tick', { cron: '0 0 1 2 *', endAt: NEW_YEAR + 1_000 }, /until endAt/],
    ['an end in the past', { everyMs: 1_000, endAt: NEW_YEAR - 1 }, /until endAt/],
    ['fixed times of a day that the date line took', apia('0 9 30 12 *'), /until endAt/],
  ])('is said of %s', (_what, timing, message) => {
    expect(preview(timing)).toMatchObject({
      runs: [],
      warnings: [{ code: 'NEVER_FIRES', message: expect.stringMatching(message) as string }],
    });
  });

  it('is not said of what fires once in a long time', () => {
    expect(preview({ cron: '0 0 29 2 *' }).codes).toEqual([]);
    expect(preview({ at: NEW_YEAR }).codes).toEqual([]);
  });

  function apia(cron: string) {
    return { cron, timezone: 'Pacific/Apia', startAt: at('2011-12-29T00:00:00Z'), endAt: at('2012-01-05T00:00:00Z') };
  }
});

describe('changes of the clocks', () => {
  const berlin = { timezone: 'Europe/Berlin' };
  const spring = at('2026-03-29T01:00:00Z');
  const autumn = at('2026-10-25T01:00:00Z');

  it('are seen a year ahead, however soon the previewed runs end', () => {
    expect(preview({ cron: '30 2 * * *', ...berlin }, { count: 1 }).warnings).toEqual([
      {
        code: 'DST_GAP',
        at: spring,
        message:
          '2026-03-29 02:30 does not exist, clocks in Europe/Berlin go from 02:00 to 03:00: ' +
          'fires once at 2026-03-29T03:00:00+02:00 instead',
      },
      {
        code: 'DST_REPEAT',
        at: autumn,
        message:
          '2026-10-25 02:30 comes twice, clocks in Europe/Berlin go from 03:00 to 02:00: ' +
          'fires once, the first time, at 2026-10-25T02:30:00+02:00',
      },
    ]);
  });

  it('are seen as far as the previewed runs go', () => {
    const { runs, warnings } = preview({ cron: '30 2 * * 0', ...berlin }, { count: 200 });
    expect(warnings).toHaveLength(8);
    // The last run is the first half past two of a day that has two of them.
    expect(runs[199]).toBe((warnings[7].at as number) - 1_800_000);
  });

  it('leave out times of an interval, or repeat them', () => {
    expect(preview({ cron: '0 */2 * * *', ...berlin }).warnings).toMatchObject([
      {
        code: 'DST_GAP',
        message: expect.stringContaining('left out and the interval goes on at 2026-03-29T04:00:00+02:00'),
      },
      {
        code: 'DST_REPEAT',
        message: expect.stringContaining(
          'both times, at 2026-10-25T02:00:00+02:00 and 2026-10-25T02:00:00+01:00',
        ) as string,
      },
    ]);
    expect(preview({ cron: '*/20 * * * *', ...berlin }).warnings[0].message).toMatch(
      /02:00 \(and others\) does not exist.*: the interval goes on at 2026-03-29T03:00:00\+02:00$/,
    );
  });

  it('take a whole day at the date line', () => {
    const { warnings } = preview({ cron: '0 9 * * *', timezone: 'Pacific/Apia' }, { from: at('2011-12-01T00:00:00Z') });
    expect(warnings[0]).toMatchObject({ code: 'DST_GAP', at: at('2011-12-30T10:00:00Z') });
    expect(warnings[0].message).toMatch(/^2011-12-30 09:00 .* nothing fires for a day that never was$/);
  });

  it.each([
    ['a time that no change touches', { cron: '0 12 * * *', ...berlin }, []],
    ['another day of the week', { cron: '30 2 * * 1', ...berlin }, []],
    ['a zone without changes', { cron: '30 2 * * *', timezone: 'Asia/Kolkata' }, []],
    ['UTC', { cron: '30 2 * * *' }, []],
    ['an interval in ms', { everyMs: 60_000, ...berlin }, []],
    ['an end before the change', { cron: '30 2 * * *', ...berlin, endAt: spring - 1 }, []],
    ['an end at the change', { cron: '30 2 * * *', ...berlin, endAt: spring }, ['DST_GAP']],
    ['a start behind one', { cron: '30 2 * * *', ...berlin, startAt: spring + 1 }, ['DST_REPEAT', 'DST_GAP']],
    ['maxRuns before the change', { cron: '30 2 * * *', ...berlin, maxRuns: 80 }, []],
    ['maxRuns behind it', { cron: '30 2 * * *', ...berlin, maxRuns: 90 }, ['DST_GAP']],
    ['midnight in Santiago', { cron: '0 0 * * *', timezone: 'America/Santiago' }, ['DST_GAP']],
  ])('are told of %s as they concern it', (_what, timing, codes) => {
    expect(preview(timing, { count: 1 }).codes).toEqual(codes);
  });

  it('cost no step for each tick: a tick per second, a year ahead', () => {
    let asked = 0;
    const next = jest.spyOn(TickTimes.prototype, 'next').mockImplementation(function (this: TickTimes, after) {
      asked += 1;
      return this.cron?.next(after);
    });
    try {
      expect(preview({ cron: '* * * * * *', ...berlin }, { count: 1_000 }).codes).toEqual(['DST_GAP', 'DST_REPEAT']);
    } finally {
      next.mockRestore();
    }
    expect(asked).toBeLessThan(1_100);
  });
});
