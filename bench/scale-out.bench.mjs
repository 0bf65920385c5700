// Scale out: 1, 2 and 4 commanders on one Redis. Runs per second, connections of Redis, lateness when many schedules are due in the
// same second, and CPU time of Redis and of the commanders per run. Every fleet has a Redis and an agent process of its own and lives
// through the whole program; rounds are interleaved.
// Usage: npm run bench -- scale-out [--build=directory of the build, default dist] [--rounds=5] [--jobs=2000] [--schedules=200]
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommanderFleet } from './engine/commander-fleet.mjs';
import { drained } from './engine/drained.mjs';
import { numberFlag } from './support/flags.mjs';
import { printTable } from './support/markdown-table.mjs';
import { median } from './support/median.mjs';
import { quantile } from './support/quantile.mjs';

const ROUNDS = numberFlag('rounds', 5);
const JOBS = numberFlag('jobs', 2_000);
const SCHEDULES = numberFlag('schedules', 200);
const REPLICAS = [1, 2, 4];
const IN_FLIGHT = 100;
const TICKS = 4;
const TICK_EVERY_MS = 2_000;

async function dispatch(fleet) {
  await fleet.agent.ask({ ask: 'forget' });
  const before = fleet.cpu();
  const startedAt = performance.now();
  const arrived = fleet.agent.ask({ ask: 'awaitArrivals', count: JOBS });
  await fleet.submit(JOBS, IN_FLIGHT);
  await arrived;
  const elapsedMs = performance.now() - startedAt;
  await drained(fleet);
  const after = fleet.cpu();
  return {
    runsPerSecond: (JOBS * 1_000) / elapsedMs,
    redisMs: (after.redis - before.redis) / JOBS,
    commandersMs: (after.commanders - before.commanders) / JOBS,
  };
}

async function lateness(fleet) {
  await fleet.declare(SCHEDULES, { cron: '*/2 * * * * *' });
  // Not in the middle of a tick.
  await sleep(TICK_EVERY_MS - (Date.now() % TICK_EVERY_MS) + TICK_EVERY_MS / 2);
  await fleet.agent.ask({ ask: 'forget' });
  await sleep(TICKS * TICK_EVERY_MS);
  const { arrivals } = await fleet.agent.ask({ ask: 'arrivals' });
  await fleet.remove(SCHEDULES);
  await drained(fleet);
  return { lateMs: arrivals.map(([at, dueAt]) => at - dueAt), arrived: arrivals.length };
}

/** CPU of Redis while nothing is to be done, in ms per second. */
async function idle(fleet) {
  const before = fleet.cpu();
  await sleep(5_000);
  return (fleet.cpu().redis - before.redis) / 5;
}

const fleets = [];
for (const count of REPLICAS) fleets.push(await CommanderFleet.start(count));
const samples = new Map(fleets.map((fleet) => [fleet, []]));
for (let round = 0; round <= ROUNDS; round++) {
  for (let turn = 0; turn < fleets.length; turn++) {
    const fleet = fleets[(turn + round) % fleets.length];
    const sample = { ...(await dispatch(fleet)), ...(await lateness(fleet)), idleMs: await idle(fleet) };
    // The first round compiles.
    if (round > 0) samples.get(fleet).push(sample);
  }
}

console.log(
  `${JOBS} runs a round, ${IN_FLIGHT} submits in flight, ${SCHEDULES} schedules due in the same second, median of ${ROUNDS} interleaved ` +
    `rounds; Node ${process.version}, ${availableParallelism()} cores for everything, load ${loadavg()[0].toFixed(1)}.\n`,
);
const rows = [];
for (const fleet of fleets) {
  const of = (read) => median(samples.get(fleet).map(read));
  const arrived = samples.get(fleet).reduce((sum, sample) => sum + sample.arrived, 0);
  rows.push([
    String(fleet.count),
    of(({ runsPerSecond }) => runsPerSecond).toFixed(0),
    String(await fleet.redisConnections()),
    `${arrived} of ${ROUNDS * TICKS * SCHEDULES}`,
    of(({ lateMs }) => quantile(lateMs, 0.5)).toFixed(0),
    of(({ lateMs }) => quantile(lateMs, 0.99)).toFixed(0),
    of(({ redisMs }) => redisMs).toFixed(3),
    of(({ commandersMs }) => commandersMs).toFixed(3),
    of(({ idleMs }) => idleMs).toFixed(1),
  ]);
}
printTable(
  [
    'replicas',
    'runs/s',
    'connections of Redis',
    'ticks arrived',
    'lateness p50, ms',
    'lateness p99, ms',
    'CPU of Redis, ms per run',
    'CPU of the commanders, ms per run',
    'CPU of Redis at rest, ms per s',
  ],
  rows,
);
for (const fleet of fleets) await fleet.stop();
