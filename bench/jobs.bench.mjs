// Jobs per second, and CPU time per job: commander against bare BullMQ that takes its submits over TCP as well (the same work), and
// against bare BullMQ that makes them itself (the floor). Each side has a Redis, a service process and an agent process of its own; the
// agent answers at once. Every round measures one after the other, in turns.
// Usage: npm run bench -- jobs [--build=directory of the build, default dist] [--rounds=5] [--jobs=4000] [--concurrency=50]
import { availableParallelism, loadavg } from 'node:os';
import { BareSide } from './engine/bare-side.mjs';
import { CommanderSide } from './engine/commander-side.mjs';
import { drained } from './engine/drained.mjs';
import { cpuMs } from './support/cpu-time.mjs';
import { numberFlag } from './support/flags.mjs';
import { printRatios } from './support/ratio-table.mjs';

const ROUNDS = numberFlag('rounds', 5);
const JOBS = numberFlag('jobs', 4_000);
const CONCURRENCY = numberFlag('concurrency', 50);
const IN_FLIGHT = 100;

/** Submits all, waits until each has reached the agent and ended. */
async function measure(side) {
  await side.agent.ask({ ask: 'forget' });
  const before = cpuOf(side);
  const startedAt = performance.now();
  const arrived = side.agent.ask({ ask: 'awaitArrivals', count: JOBS });
  await side.submit(JOBS, IN_FLIGHT);
  const submittedMs = performance.now() - startedAt;
  await arrived;
  await drained(side);
  const elapsedMs = performance.now() - startedAt;
  const after = cpuOf(side);
  return {
    jobsPerSecond: (JOBS * 1_000) / elapsedMs,
    submitsPerSecond: (JOBS * 1_000) / submittedMs,
    serviceMs: (after.service - before.service) / JOBS,
    redisMs: (after.redis - before.redis) / JOBS,
    othersMs: (after.others - before.others) / JOBS,
  };
}

/** Beside a side's own CPU that of its agent and of this process, which submits: all of them share the cores. */
function cpuOf(side) {
  const { service, redis } = side.cpu();
  return { service, redis, others: cpuMs(side.agent.pid) + cpuMs(process.pid) };
}

const options = { concurrency: CONCURRENCY, kept: 20_000 };
const sides = await Promise.all([
  CommanderSide.start(options),
  BareSide.start({ ...options, isServed: true }),
  BareSide.start(options),
]);
const samples = new Map(sides.map((side) => [side, []]));
for (let round = 0; round <= ROUNDS; round++) {
  for (let turn = 0; turn < sides.length; turn++) {
    const side = sides[(turn + round) % sides.length];
    const sample = await measure(side);
    // The first round compiles.
    if (round > 0) samples.get(side).push(sample);
  }
}

const [, served, floor] = sides;
console.log(
  `${JOBS} jobs a round, ${IN_FLIGHT} submits in flight, concurrency ${CONCURRENCY}, median of ${ROUNDS} interleaved rounds; ` +
    `Node ${process.version}, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}.`,
);
console.log(
  `In parentheses: as a multiple of ${served.name}, which does the same work, and of ${floor.name}, the floor.\n`,
);
const columns = [
  ['jobs/s', 'jobsPerSecond', 0],
  ['submits/s', 'submitsPerSecond', 0],
  ['CPU of the service, ms per job', 'serviceMs', 3],
  ['CPU of Redis, ms per job', 'redisMs', 3],
  ['CPU of load and agent, ms per job', 'othersMs', 3],
];
printRatios(sides, columns, (side) => samples.get(side), served, floor);
for (const side of sides) await side.stop();
