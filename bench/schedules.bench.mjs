// Schedules: lateness when 200 and when 2,000 are due in the same second, and ticks per second when more are due than can be served.
// Commander against bare BullMQ with the same work; each side has a Redis, a service process and an agent process of its own.
// Lateness is arrival at the agent minus due time, by one clock. Every round measures one after the other, in turns.
// Usage: npm run bench -- schedules [--build=directory of the build, default dist] [--rounds=5]
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { BareSide } from './engine/bare-side.mjs';
import { CommanderSide } from './engine/commander-side.mjs';
import { drained } from './engine/drained.mjs';
import { numberFlag } from './support/flags.mjs';
import { printTable } from './support/markdown-table.mjs';
import { median } from './support/median.mjs';
import { quantile } from './support/quantile.mjs';

const ROUNDS = numberFlag('rounds', 5);
/** How many are due together, how often, and how many times in one round. */
const CROWDS = [
  { schedules: 200, everySeconds: 2, ticks: 4 },
  { schedules: 2_000, everySeconds: 10, ticks: 1 },
];
const FLOOD_SCHEDULES = 200;
const FLOOD_MS = 3_000;
const FLOOD_EVERY_MS = [500, 200, 100];
/** As many as are ever due at once: the limits of neither side are measured. */
const CONCURRENCY = 2_000;

/** All schedules due at the same instants. */
async function lateness(side, { schedules, everySeconds, ticks }) {
  const everyMs = everySeconds * 1_000;
  await side.declare(schedules, { cron: `*/${everySeconds} * * * * *` });
  // Not in the middle of a tick.
  await sleep(everyMs - (Date.now() % everyMs) + everyMs / 2);
  await side.agent.ask({ ask: 'forget' });
  const before = side.cpu();
  await sleep(ticks * everyMs);
  const after = side.cpu();
  const { arrivals } = await side.agent.ask({ ask: 'arrivals' });
  await side.remove(schedules);
  await drained(side);
  return {
    lateMs: arrivals.map(([at, dueAt]) => at - dueAt),
    serviceMs: (after.service - before.service) / arrivals.length,
    redisMs: (after.redis - before.redis) / arrivals.length,
  };
}

/** What reaches the agent when so much is due. */
async function flood(side, everyMs) {
  await side.declare(FLOOD_SCHEDULES, { everyMs });
  await sleep(500);
  await side.agent.ask({ ask: 'forget' });
  const before = side.cpu();
  const startedAt = performance.now();
  await sleep(FLOOD_MS);
  const { arrivals } = await side.agent.ask({ ask: 'arrivals' });
  const elapsedMs = performance.now() - startedAt;
  const after = side.cpu();
  await side.remove(FLOOD_SCHEDULES);
  await drained(side);
  return {
    ticksPerSecond: (arrivals.length * 1_000) / elapsedMs,
    serviceMs: (after.service - before.service) / arrivals.length,
    redisMs: (after.redis - before.redis) / arrivals.length,
  };
}

const options = { concurrency: CONCURRENCY, kept: 20_000 };
const sides = await Promise.all([CommanderSide.start(options), BareSide.start(options)]);
const [, bare] = sides;
const measures = {};
for (const crowd of CROWDS) measures[`${crowd.schedules} at once`] = (side) => lateness(side, crowd);
for (const everyMs of FLOOD_EVERY_MS) measures[`every ${everyMs} ms`] = (side) => flood(side, everyMs);
const samples = new Map(sides.map((side) => [side, {}]));
for (const [name, measure] of Object.entries(measures)) {
  for (let round = 0; round <= ROUNDS; round++) {
    for (let turn = 0; turn < sides.length; turn++) {
      const side = sides[(turn + round) % sides.length];
      const sample = await measure(side);
      // The first round compiles.
      if (round > 0) (samples.get(side)[name] ??= []).push(sample);
    }
  }
}

const machine = `Node ${process.version}, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}`;
console.log(`Concurrency ${CONCURRENCY}; median of ${ROUNDS} interleaved rounds; ${machine}.\n`);
console.log('Lateness, from the due time to the arrival at the agent; in parentheses the best and the worst round.\n');
for (const { schedules, ticks } of CROWDS) {
  const of = (side) => samples.get(side)[`${schedules} at once`];
  const cpu = (side, name) => median(of(side).map((sample) => sample[name]));
  const ratio = (side, name) => `${cpu(side, name).toFixed(3)} (${(cpu(side, name) / cpu(bare, name)).toFixed(2)})`;
  printTable(
    [
      `${schedules} due in one second`,
      'arrived',
      'p50, ms',
      'p99, ms',
      'max, ms',
      'CPU of the service, ms per tick',
      'CPU of Redis, ms per tick',
    ],
    sides.map((side) => {
      const spread = (share) => {
        const values = of(side).map(({ lateMs }) => quantile(lateMs, share));
        return `${median(values)} (${Math.min(...values)}–${Math.max(...values)})`;
      };
      const arrived = of(side).reduce((sum, { lateMs }) => sum + lateMs.length, 0);
      return [
        side.name,
        `${arrived} of ${ROUNDS * ticks * schedules}`,
        spread(0.5),
        spread(0.99),
        spread(1),
        ratio(side, 'serviceMs'),
        ratio(side, 'redisMs'),
      ];
    }),
  );
}

console.log(
  `${FLOOD_SCHEDULES} schedules, ticks that reached the agent per second, and CPU of the service and of Redis in ms per tick.\n`,
);
printTable(
  ['', ...FLOOD_EVERY_MS.map((everyMs) => `${(FLOOD_SCHEDULES * 1_000) / everyMs} due per second`)],
  sides.map((side) => [
    side.name,
    ...FLOOD_EVERY_MS.map((everyMs) => {
      const rounds = samples.get(side)[`every ${everyMs} ms`];
      const of = (name) => median(rounds.map((sample) => sample[name]));
      return `${of('ticksPerSecond').toFixed(0)} (${of('serviceMs').toFixed(2)} + ${of('redisMs').toFixed(2)})`;
    }),
  ]),
);
for (const side of sides) await side.stop();
