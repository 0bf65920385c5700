import { TickTimes } from '../../src/schedules/tick-times.js';
import { ticksByBruteForce, Wall } from './support/cron-oracle.js';
import { randomCron, SeededRandom } from './support/random-cron.js';

const SEED = 20_260_329;
const SPECS_PER_ZONE = 20;
const QUESTIONS_PER_SPEC = 300;
const DAY_MS = 86_400_000;

/** Zones, with a year in which their clocks did something worth a test. */
const zones: readonly (readonly [zone: string, year: number, why: string])[] = [
  ['UTC', 2028, 'no change, a leap year'],
  ['Europe/Berlin', 2026, 'an hour at 02:00'],
  ['America/New_York', 2026, 'the other half of the world'],
  ['Australia/Lord_Howe', 2026, 'half an hour'],
  ['Asia/Kolkata', 2027, 'half past'],
  ['Pacific/Apia', 2011, 'summer time, and a day that never was'],
  ['America/St_Johns', 2006, 'an hour at one minute past midnight'],
  ['Africa/Casablanca', 2026, 'back and forth around Ramadan'],
  ['America/Santiago', 2026, 'midnight does not exist'],
  ['Asia/Tehran', 2022, 'midnight, half past, for the last time'],
  ['America/Nuuk', 2027, 'the last hour of a day does not exist'],
];

/** Due when clocks are changed in these zones; what is drawn might miss it. */
const always = [
  '30 2 * * *',
  '0,15,45 0-3,23 * * *',
  '30 23 * * *',
  '*/20 * * * *',
  '0 */2 * * *',
  '*/30 2 * * 0',
  '0 0 * * *',
];

let comparedCount = 0;
let questionCount = 0;
afterAll(() => {
  process.stdout.write(
    `tick-year: seed ${SEED}, ${zones.length * SPECS_PER_ZONE} drawn expressions and ${zones.length * always.length} fixed ones, ` +
      `${comparedCount} ticks and ${questionCount} other instants compared\n`,
  );
});

it.each(zones)('%s %i: every tick of a year is what brute force finds (%s)', (zone, year) => {
  const from = Date.UTC(year, 0, 1);
  const until = Date.UTC(year + 1, 0, 1);
  const wall = new Wall(zone, from / 60_000 - 1_440, (until - from) / 60_000 + 1_440);
  const random = new SeededRandom(SEED + year * 31 + zone.length);
  const expressions = [...always, ...Array.from({ length: SPECS_PER_ZONE }, () => randomCron(random))];
  const jumps = wall.jumps();

  for (const cron of expressions) {
    const expected = ticksByBruteForce(cron, wall);
    const times = new TickTimes({ cron, timezone: zone });
    let last = from - 1;
    for (const tick of expected) {
      const mine = times.next(last);
      // Not with expect(): a million of them take a minute.
      if (mine !== tick) throw new Error(difference(cron, zone, last, tick, mine));
      last = tick;
    }
    const behind = times.next(last);
    if (behind !== undefined && behind < until) throw new Error(difference(cron, zone, last, undefined, behind));
    comparedCount += expected.length;

    for (let asked = 0; asked < QUESTIONS_PER_SPEC; asked += 1) {
      const near = asked % 3;
      let after = random.int(0, until - from - 1) + from;
      if (near === 1 && jumps.length > 0) after = random.pick(jumps) + random.int(-DAY_MS / 8, DAY_MS / 8);
      if (near === 2 && expected.length > 0) after = random.pick(expected) + random.int(-1, 1);
      after = Math.max(from - 1, Math.min(until - 1, after));
      const tick = firstAfter(expected, after);
      const mine = times.next(after);
      if (tick === undefined ? mine !== undefined && mine < until : mine !== tick) {
        throw new Error(difference(cron, zone, after, tick, mine));
      }
      questionCount += 1;
    }
  }
  expect(jumps.length > 0).toBe(!['UTC', 'Asia/Kolkata'].includes(zone));
});

function firstAfter(sorted: readonly number[], after: number): number | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] > after) high = middle;
    else low = middle + 1;
  }
  return sorted[low];
}

function difference(cron: string, zone: string, after: number, expected?: number, mine?: number): string {
  const iso = (instant?: number) => (instant === undefined ? 'none' : new Date(instant).toISOString());
  return `${cron} in ${zone} after ${iso(after)}: brute force ${iso(expected)}, TickTimes ${iso(mine)} (seed ${SEED})`;
}
