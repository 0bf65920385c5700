import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';
import { TickTimes } from '../../src/schedules/tick-times.js';
import { randomCron, SeededRandom } from './support/random-cron.js';

const SEED = 20_261_025;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const from = Date.UTC(2025, 0, 1);
const until = Date.UTC(2029, 0, 1);

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'Pacific/Apia',
  'America/St_Johns',
  'Africa/Casablanca',
  'America/Santiago',
  'Asia/Tehran',
];

const iso = (instant: number | undefined) => (instant === undefined ? 'none' : new Date(instant).toISOString());

/** Instants at which the zone's offset changes, to the hour: found by asking for every hour. */
function changesOf(timezone: string): number[] {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset', hour: 'numeric' });
  const offset = (instant: number) => format.format(instant).replace(/^.*GMT/, '');
  const changes: number[] = [];
  for (let at = from, last = offset(from); at < until; at += HOUR_MS) {
    const now = offset(at);
    if (now !== last) changes.push(at);
    last = now;
  }
  return changes;
}

let comparedCount = 0;
afterAll(() => {
  process.stdout.write(`tick-others: seed ${SEED}, ${comparedCount} ticks compared\n`);
});

describe.each(zones)('%s', (timezone) => {
  const changes = changesOf(timezone);

  it('agrees with croner, which has the same DST rule, around every change of the clocks and elsewhere', () => {
    const random = new SeededRandom(SEED + timezone.length);
    const differences: string[] = [];
    for (let spec = 0; spec < 40; spec += 1) {
      const cron = randomCron(random);
      const mine = new TickTimes({ cron, timezone });
      const other = new Cron(cron, { timezone, paused: true, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' });
      const starts = changes.map((at) => at + random.int(-3 * HOUR_MS, 2 * HOUR_MS));
      starts.push(random.int(from, until), random.int(from, until));
      for (const start of starts) {
        for (let step = 0, after: number | undefined = start; step < 4 && after !== undefined; step += 1) {
          const theirs: number | undefined = other.nextRun(new Date(after))?.getTime();
          const tick = mine.next(after);
          comparedCount += 1;
          if (theirs !== tick)
            differences.push(`${cron} after ${iso(after)}: croner ${iso(theirs)}, ours ${iso(tick)}`);
          after = tick;
        }
      }
    }
    expect(differences).toEqual([]);
  });

  it('agrees with cron-parser wherever no clock is changed', () => {
    const random = new SeededRandom(SEED * 2 + timezone.length);
    const differences: string[] = [];
    for (let spec = 0; spec < 40; spec += 1) {
      const cron = randomCron(random, { plain: true });
      const mine = new TickTimes({ cron, timezone });
      for (let start = 0; start < 6; start += 1) {
        let after: number | undefined = random.int(from, until);
        const other = CronExpressionParser.parse(cron, { currentDate: new Date(after), tz: timezone });
        for (let step = 0; step < 4; step += 1) {
          const tick: number | undefined = mine.next(after);
          // At a change it has a rule of its own, and gives up altogether at half an hour's.
          if (tick === undefined || changes.some((at) => at > Number(after) - DAY_MS && at < tick + DAY_MS)) break;
          const theirs = other.next().getTime();
          comparedCount += 1;
          if (theirs !== tick)
            differences.push(`${cron} after ${iso(after)}: cron-parser ${iso(theirs)}, ours ${iso(tick)}`);
          after = tick;
        }
      }
    }
    expect(differences).toEqual([]);
  });
});
