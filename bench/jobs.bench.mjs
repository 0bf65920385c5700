// Jobs per second, and CPU time per job: commander against bare BullMQ with the same work. Each side has a Redis, a service
// process and an agent process of its own; the agent answers at once. Every round measures one after the other, in turns.
// Usage: npm run bench -- jobs [--build=directory of the build, default dist] [--rounds=5] [--jobs=2000] [--concurrency=50]
import { availableParallelism, loadavg } from 'node:os';
import { BareSide } from './engine/bare-side.mjs';
import { CommanderSide } from './engine/commander-side.mjs';
import { drained } from './engine/drained.mjs';
import { numberFlag } from './support/flags.mjs';
import { printRatios } from './support/ratio-table.mjs';

const ROUNDS = numberFlag('rounds', 5);
const JOBS = numberFlag('jobs', 2_000);
const CONCURRENCY = numberFlag('concurrency', 50);
const IN_FLIGHT = 100;

/** Submits all, waits until each has reached the agent and ended. */
async function measure(side) {
  await side.agent.ask({ ask: 'forget' });
  const before = side.cpu();
  const startedAt = performance.now();
  const arrived = side.agent.ask({ ask: 'awaitArrivals', count: JOBS });
  await side.submit(JOBS, IN_FLIGHT);
  const submittedMs = performance.now() - startedAt;
  await arrived;
  await drained(side);
  const elapsedMs = performance.now() - startedAt;
  const after = side.cpu();
  return {
    jobsPerSecond: (JOBS * 1_000) / elapsedMs,
    submitsPerSecond: (JOBS * 1_000) / submittedMs,
    serviceMs: (after.service - before.service) / JOBS,
    redisMs: (after.redis - before.redis) / JOBS,
  };
}

const options = { concurrency: CONCURRENCY, kept: 20_000 };
const sides = await Promise.all([CommanderSide.start(options), BareSide.start(options)]);
const samples = new Map(sides.map((side) => [side, []]));
for (let round = 0; round <= ROUNDS; round++) {
  for (let turn = 0; turn < sides.length; turn++) {
    const side = sides[(turn + round) % sides.length];
    const sample = await measure(side);
    // The first round compiles.
    if (round > 0) samples.get(side).push(sample);
  }
}

const [, bare] = sides;
console.log(
  `${JOBS} jobs a round, ${IN_FLIGHT} submits in flight, concurrency ${CONCURRENCY}, median of ${ROUNDS} interleaved rounds; ` +
    `Node ${process.version}, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}.`,
);
console.log('In parentheses: as a multiple of bare BullMQ.\n');
const columns = [
  ['jobs/s', 'jobsPerSecond', 0],
  ['submits/s', 'submitsPerSecond', 0],
  ['CPU of the service, ms per job', 'serviceMs', 3],
  ['CPU of Redis, ms per job', 'redisMs', 3],
];
printRatios(sides, columns, (side) => samples.get(side), bare);
for (const side of sides) await side.stop();
