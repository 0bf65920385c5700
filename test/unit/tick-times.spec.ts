import { CronExpressionParser } from 'cron-parser';
import fc from 'fast-check';
import { CommandError } from '../../src/contract/command-error.js';
import { TickTimes, type Timing } from '../../src/schedules/tick-times.js';

const at = (text: string) => Date.parse(text);
const iso = (instant: number | undefined) => (instant === undefined ? undefined : new Date(instant).toISOString());

function ticks(timing: Partial<Timing>, from: number, count: number): (string | undefined)[] {
  const times = new TickTimes({ timezone: 'UTC', ...timing });
  const found: (string | undefined)[] = [];
  for (let tick = times.next(from); found.length < count; tick = tick === undefined ? undefined : times.next(tick)) {
    found.push(iso(tick));
    if (tick === undefined) break;
  }
  return found;
}

describe('TickTimes', () => {
  it('evaluates five fields to the minute and six to the second', () => {
    expect(ticks({ cron: '*/15 * * * *' }, at('2026-01-01T00:00:00Z'), 2)).toEqual([
      '2026-01-01T00:15:00.000Z',
      '2026-01-01T00:30:00.000Z',
    ]);
    expect(ticks({ cron: '*/20 * * * * *' }, at('2026-01-01T00:00:00Z'), 2)).toEqual([
      '2026-01-01T00:00:20.000Z',
      '2026-01-01T00:00:40.000Z',
    ]);
  });

  it('fires a fixed time once on the day of a repeated hour and at the end of a skipped one', () => {
    const berlin = { cron: '30 2 * * *', timezone: 'Europe/Berlin' };
    expect(ticks(berlin, at('2026-10-24T12:00:00Z'), 2)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
    expect(ticks(berlin, at('2026-03-28T12:00:00Z'), 2)).toEqual([
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
  });

  it('counts an interval from the epoch, or from startAt', () => {
    expect(ticks({ everyMs: 60_000 }, at('2026-01-01T00:00:30Z'), 2)).toEqual([
      '2026-01-01T00:01:00.000Z',
      '2026-01-01T00:02:00.000Z',
    ]);
    expect(ticks({ everyMs: 60_000, startAt: at('2026-01-01T00:00:45Z') }, at('2026-01-01T00:00:00Z'), 2)).toEqual([
      '2026-01-01T00:00:45.000Z',
      '2026-01-01T00:01:45.000Z',
    ]);
  });

  it('keeps within startAt and endAt, both included', () => {
    const timing = { cron: '0 * * * *', startAt: at('2026-01-01T05:00:00Z'), endAt: at('2026-01-01T06:00:00Z') };
    expect(ticks(timing, at('2026-01-01T00:00:00Z'), 5)).toEqual([
      '2026-01-01T05:00:00.000Z',
      '2026-01-01T06:00:00.000Z',
      undefined,
    ]);
  });

  it('fires `at` once', () => {
    expect(ticks({ at: at('2026-01-01T05:00:00Z') }, 0, 5)).toEqual(['2026-01-01T05:00:00.000Z', undefined]);
  });

  it.each([
    ['a field out of range', { cron: '61 * * * *' }],
    ['four fields', { cron: '* * * *' }],
    ['seven fields', { cron: '0 0 0 1 1 * 2030' }],
    ['a nickname', { cron: '@daily' }],
    ['words', { cron: 'every five minutes please now' }],
    ['an unknown zone', { cron: '* * * * *', timezone: 'Mars/Olympus' }],
    ['an unknown zone of an interval', { everyMs: 1_000, timezone: 'Mars/Olympus' }],
  ])('refuses %s', (_what, timing) => {
    expect(() => new TickTimes({ timezone: 'UTC', ...timing })).toThrow(CommandError);
  });

  it('knows that a date that does not exist never comes', () => {
    expect(new TickTimes({ cron: '0 0 30 2 *', timezone: 'UTC' }).next(Date.now())).toBeUndefined();
  });

  it('agrees with an independent implementation in UTC', () => {
    const field = (max: number, min = 0) =>
      fc.oneof(
        fc.constant('*'),
        fc.integer({ min, max }).map(String),
        fc.integer({ min: 2, max: Math.max(2, Math.floor(max / 2)) }).map((step) => `*/${step}`),
      );
    const expression = fc
      .tuple(field(59), field(23), fc.constant('*'), field(12, 1), fc.constant('*'))
      .map((parts) => parts.join(' '));
    fc.assert(
      fc.property(
        expression,
        fc.integer({ min: at('2024-01-01T00:00:00Z'), max: at('2028-01-01T00:00:00Z') }),
        (cron, from) => {
          const mine = ticks({ cron }, from, 3);
          const other = CronExpressionParser.parse(cron, { currentDate: new Date(from), tz: 'UTC' });
          expect(mine).toEqual([0, 1, 2].map(() => other.next().toDate().toISOString()));
        },
      ),
      { numRuns: 200 },
    );
  });
});
