import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings } from '../../src/config/settings.js';
import { scheduleSpecSchema } from '../../src/contract/schedule.schema.js';
import { previewTicks } from '../../src/schedules/schedule-preview.js';
import { TickTimes } from '../../src/schedules/tick-times.js';

const text = readFileSync(join(__dirname, '../../docs/schedules.md'), 'utf8');

const examples = [...text.matchAll(/^\| `([^`]+)` \| `([A-Z]\w+\/\w+)` \| (\d{4}-\d\d-\d\d) \| (.+) \|$/gm)].map(
  ([, cron, timezone, day, ticks]) => ({ cron, timezone, day, ticks }),
);

const DAY_MS = 86_400_000;

/** The ticks on a day of a zone's calendar, as the page writes them. */
function ticksOf(cron: string, timezone: string, day: string): string {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'short',
  });
  const offset = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' });
  const times = new TickTimes({ cron, timezone });
  const found: string[] = [];
  const noon = Date.parse(`${day}T12:00:00Z`);
  for (
    let tick = times.next(noon - 2 * DAY_MS);
    tick !== undefined && tick < noon + 2 * DAY_MS;
    tick = times.next(tick)
  ) {
    const [date, time] = format.format(tick).split(' ');
    if (date === day) found.push(time + offset.format(tick).replace(/^.*GMT/, ''));
  }
  return found.length === 0 ? 'none' : found.join(' ');
}

it('has examples of every kind', () => {
  expect(examples.length).toBeGreaterThanOrEqual(15);
  expect(new Set(examples.map(({ timezone }) => timezone)).size).toBeGreaterThanOrEqual(5);
});

it.each(examples)('is right about $cron in $timezone on $day', ({ cron, timezone, day, ticks }) => {
  expect(ticksOf(cron, timezone, day)).toBe(ticks);
});

it.each(
  [...text.matchAll(/^- \*\*(Fixed times|Intervals)\*\*:([^]*?)(?=\n- )/gm)].map(([, kind, what]) => ({ kind, what })),
)('calls expressions $kind that are', ({ kind, what }) => {
  const expressions = [...what.matchAll(/`([\d*/,-]+(?: [\d*/,-]+){4})`/g)].map(([, cron]) => cron);
  expect(expressions.length).toBeGreaterThanOrEqual(3);
  for (const cron of expressions) {
    const { cron: ticks } = new TickTimes({ cron, timezone: 'UTC' });
    expect([cron, ticks?.expression.isFixedTime]).toEqual([cron, kind === 'Fixed times']);
  }
});

it('is right about what is accepted and refused', () => {
  const accepted = [
    '0 9 L * *',
    '0 9 LW * *',
    '0 9 15W * *',
    '0 9 * * 5#2',
    '0 9 * * 5L',
    '0 9 * MAR SUN',
    '0 9 * * 7',
  ];
  for (const cron of accepted) expect(() => new TickTimes({ cron, timezone: 'UTC' })).not.toThrow();
  for (const cron of ['@daily', '0 0 9 1 1 * 2030', '5/10 * * * *']) {
    expect(() => new TickTimes({ cron, timezone: 'UTC' })).toThrow();
  }
  const { runs } = previewTicks({
    timing: { cron: '0 9 13 * +5', timezone: 'UTC' },
    count: 5,
    from: 1_767_225_600_000,
  });
  expect(runs.map((tick) => [new Date(tick).getUTCDate(), new Date(tick).getUTCDay()])).toEqual(Array(5).fill([13, 5]));
});

it('states the defaults that are', () => {
  const spec = scheduleSpecSchema.parse({ id: 'a', cron: '* * * * *', job: { name: 'a' } });
  expect(spec).toMatchObject({ misfire: 'once', catchupWindowMs: 3_600_000, timezone: 'UTC', jitterMs: 0 });
  expect(readSettings({ REDIS_URL: 'redis://localhost' }).misfireThresholdMs).toBe(30_000);
  expect(text).toMatch(/`MISFIRE_THRESHOLD_MS` \(default 30 s\)/);
});
