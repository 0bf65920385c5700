// Bytes in Redis: of a schedule, of a run that waits, of a run that has ended and is kept; commander against bare BullMQ with the
// same jobs. Counted by MEMORY USAGE of every key, all its elements. Not counted: BullMQ's stream of events, which both have and
// which stops growing at some 10,000 entries.
// Usage: npm run bench -- redis-bytes [--build=directory of the build, default dist] [--count=1000]
import { setTimeout as sleep } from 'node:timers/promises';
import { BareSide } from './engine/bare-side.mjs';
import { CommanderSide } from './engine/commander-side.mjs';
import { drained } from './engine/drained.mjs';
import { bytesByKey } from './support/redis-memory.mjs';
import { numberFlag } from './support/flags.mjs';
import { printTable } from './support/markdown-table.mjs';

const COUNT = numberFlag('count', 1_000);
const RUNS_PER_SCHEDULE = 100;
/** Schedules that really run; each {@link RUNS_PER_SCHEDULE} times. */
const RUNNING_SCHEDULES = 10;
const NEVER_CRON = '0 0 1 1 *';

/** What the keys grew by, per item. */
async function growth(side, count, work) {
  const before = await bytesOfAll(side);
  await work();
  await sleep(300);
  return ((await bytesOfAll(side)) - before) / count;
}

async function bytesOfAll(side) {
  let total = 0;
  for (const [key, bytes] of await bytesByKey(side.redis.client)) if (!key.endsWith(':events')) total += bytes;
  return total;
}

/** One job is under way and is not answered, so the others wait. */
async function waitingRuns(start) {
  const side = await start({ concurrency: 1, kept: 20_000, isHolding: true, hasWorker: false });
  await side.submit(1, 1);
  await sleep(500);
  const bytes = await growth(side, COUNT, () => side.submit(COUNT, 32));
  await side.stop();
  return bytes;
}

async function delayedRuns(start) {
  const side = await start({ concurrency: 50, kept: 20_000 });
  const bytes = await growth(side, COUNT, () => side.submit(COUNT, 32, 3_600_000));
  await side.stop();
  return bytes;
}

async function endedRuns(start) {
  const side = await start({ concurrency: 50, kept: 20_000 });
  // What is made once, the place of the agent and the like, does not count.
  await side.submit(200, 32);
  await drained(side);
  const bytes = await growth(side, COUNT, async () => {
    await side.submit(COUNT, 32);
    await drained(side);
  });
  await side.stop();
  return bytes;
}

async function schedulesAtRest(start) {
  const side = await start({ concurrency: 50, kept: 20_000 });
  const bytes = await growth(side, COUNT, () => side.declare(COUNT, { cron: NEVER_CRON }));
  await side.stop();
  return bytes;
}

/** A schedule that ran and whose runs were all forgotten but one. */
async function schedulesAfterRuns(start) {
  const side = await start({ concurrency: 50, kept: RUNNING_SCHEDULES, keptPerSchedule: 1 });
  const bytes = await growth(side, RUNNING_SCHEDULES, async () => {
    const arrived = side.agent.ask({ ask: 'awaitArrivals', count: RUNS_PER_SCHEDULE * RUNNING_SCHEDULES });
    await side.declare(RUNNING_SCHEDULES, { everyMs: 100 });
    await arrived;
    // The same declaration at another time: it stays, and does not run any more.
    await side.declare(RUNNING_SCHEDULES, { cron: NEVER_CRON });
    await sleep(1_000);
  });
  await side.stop();
  return bytes;
}

const starts = [(options) => CommanderSide.start(options), (options) => BareSide.start(options)];
const rows = [];
for (const [title, measure] of [
  ['schedule at rest', schedulesAtRest],
  [`schedule after ${RUNS_PER_SCHEDULE} runs, the last one kept`, schedulesAfterRuns],
  ['run that waits for its turn', waitingRuns],
  ['run that waits for its time', delayedRuns],
  ['run that has ended and is kept, with its result', endedRuns],
]) {
  const [ours, bare] = [await measure(starts[0]), await measure(starts[1])];
  rows.push([title, ours.toFixed(0), bare.toFixed(0), (ours / bare).toFixed(2)]);
}
console.log(`Bytes in Redis per item, over ${COUNT} items (running schedules: ${RUNNING_SCHEDULES}).\n`);
printTable(['one', 'commander', 'bare BullMQ', 'multiple'], rows);
