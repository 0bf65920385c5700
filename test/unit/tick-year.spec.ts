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

/** Due when clocks are changed in these zones, or at the ends of months; what is drawn might miss it. */
const always = [
  '30 2 * * *',
  '0,15,45 0-3,23 * * *',
  '30 23 * * *',
  '*/20 * * * *',
  '0 */2 * * *',
  '*/30 2 * * 0',
  '0 0 * * *',
  '15 0 1W,15W,31W * *',
  '45 23 LW * *',
  '30 1 29 2 *',
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

  const atJumps = jumps.flatMap((jump) => [-1_001, -1_000, -999, -1, 0, 1].map((ms) => jump + ms));
  const question = (ticks: readonly number[]) => (_: unknown, asked: number) => {
    if (asked % 3 === 1 && jumps.length > 0) return random.pick(jumps) + random.int(-DAY_MS / 8, DAY_MS / 8);
    if (asked % 3 === 2 && ticks.length > 0) return random.pick(ticks) + random.int(-1, 1);
    return random.int(from, until - 1);
  };

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

    for (const instant of [...atJumps, ...Array.from({ length: QUESTIONS_PER_SPEC }, question(expected))]) {
      const after = Math.max(from - 1, Math.min(until - 1, instant));
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
