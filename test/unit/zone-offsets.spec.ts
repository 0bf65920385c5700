import { TickTimes } from '../../src/schedules/tick-times.js';
import { ZoneOffsets } from '../../src/schedules/zone-offsets.js';
import { SeededRandom } from './support/random-cron.js';

const SEED = 1_970;
const HOUR_MS = 3_600_000;
const zones = Intl.supportedValuesOf('timeZone');

/** What Intl says, by another format than the one that is used in there. */
function offsetByName(timezone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset', hour: 'numeric' });
  return (instant) => {
    const [, sign, hours, minutes, seconds = '0'] = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(
      format.format(instant),
    ) as RegExpExecArray;
    if (sign === undefined) return 0;
    const ms = Number(hours) * HOUR_MS + Number(minutes) * 60_000 + Number(seconds) * 1_000;
    return sign === '-' ? -ms : ms;
  };
}

it(`knows the offset of every zone at any time (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  const wrong: string[] = [];
  for (const timezone of zones) {
    const zone = ZoneOffsets.of(timezone);
    const offsetAt = offsetByName(timezone);
    const year = random.int(1970, 2037);
    for (let asked = 0; asked < 40; asked += 1) {
      const instant = Date.UTC(year + (asked % 2)) + random.int(0, 365 * 24 * HOUR_MS);
      const { from, until, offsetMs } = zone.segmentAt(instant);
      if (offsetMs !== offsetAt(instant) || from > instant || until <= instant) {
        wrong.push(`${timezone} ${new Date(instant).toISOString()}: ${offsetMs}`);
      }
    }
  }
  expect(zones.length).toBeGreaterThan(400);
  expect(wrong).toEqual([]);
});

it('knows every change to the second, from what to what', () => {
  const from = Date.UTC(2010, 0, 1);
  const until = Date.UTC(2013, 0, 1);
  for (const timezone of ['Europe/Berlin', 'Pacific/Apia', 'Africa/Cairo', 'Europe/Istanbul', 'America/Nuuk', 'UTC']) {
    const offsetAt = offsetByName(timezone);
    const expected: object[] = [];
    for (let at = from + HOUR_MS / 4; at <= until; at += HOUR_MS / 4) {
      if (offsetAt(at) !== offsetAt(at - 1)) {
        expected.push({ at, offsetBeforeMs: offsetAt(at - 1), offsetMs: offsetAt(at) });
      }
    }
    expect(ZoneOffsets.of(timezone).changes(from, until)).toEqual(expected);
    expect(expected.length > 0).toBe(timezone !== 'UTC');
  }
});

it('includes a change at the last instant that is asked about, and not one at the first', () => {
  const berlin = ZoneOffsets.of('Europe/Berlin');
  const change = Date.UTC(2026, 2, 29, 1);
  expect(berlin.changes(change - 1, change)).toMatchObject([{ at: change }]);
  expect(berlin.changes(change - HOUR_MS, change - 1)).toEqual([]);
  expect(berlin.changes(change, change + HOUR_MS)).toEqual([]);
});

it('sees a change at the very edge of two stretches that are worked out apart', () => {
  // 360 days × 54: clocks in Jerusalem were put forward at that instant.
  const edge = 54 * 360 * 24 * HOUR_MS;
  expect(ZoneOffsets.of('Asia/Jerusalem').changes(edge - HOUR_MS, edge + HOUR_MS)).toEqual([
    { at: edge, offsetBeforeMs: 2 * HOUR_MS, offsetMs: 3 * HOUR_MS },
  ]);
  const ticks = new TickTimes({ cron: '30 2 * * *', timezone: 'Asia/Jerusalem' });
  for (const early of [1, 500, 1_000, HOUR_MS]) expect(ticks.next(edge - early)).toBe(edge);
  expect(ticks.next(edge)).toBe(edge + 23.5 * HOUR_MS);
});

it('forgets what it need not know, and is right when it is asked again', () => {
  const offsetAt = offsetByName('America/New_York');
  const zone = ZoneOffsets.of('America/New_York');
  for (let round = 0; round < 2; round += 1) {
    for (let year = 1970; year <= 2100; year += 1) {
      const instant = Date.UTC(year, 6, 1);
      expect(zone.segmentAt(instant).offsetMs).toBe(offsetAt(instant));
    }
  }
});

it('refuses a zone that does not exist', () => {
  expect(() => ZoneOffsets.of('Mars/Olympus')).toThrow(RangeError);
});
