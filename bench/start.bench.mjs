// Time from the start of the process until it serves, and what it takes while nothing happens: commander beside a Nest application with
// the same two transports and nothing else.
// Usage: npm run bench -- start [--build=directory of the build, default dist] [--rounds=5] [--idle-seconds=20]
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildDirectory } from './support/build.mjs';
import { Child } from './support/child.mjs';
import { cpuMs } from './support/cpu-time.mjs';
import { numberFlag } from './support/flags.mjs';
import { printTable } from './support/markdown-table.mjs';
import { median } from './support/median.mjs';
import { RedisProcess } from './support/redis-process.mjs';

const ROUNDS = numberFlag('rounds', 5);
const IDLE_SECONDS = numberFlag('idle-seconds', 20);

const redis = await RedisProcess.start();
const env = { REDIS_URL: redis.url, TCP_PORT: '0', HTTP_PORT: '0', LOG_LEVEL: 'warn' };
const sides = [
  { name: 'commander', file: join(buildDirectory, 'main.js'), env },
  { name: 'stock Nest, TCP and HTTP', file: fileURLToPath(new URL('start/stock-nest.mjs', import.meta.url)), env: {} },
];

/** The first minute still has work of the start in it: code that is compiled, heap that is collected, the first looks. */
const SETTLE_SECONDS = 60;

const rssBytes = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1_024;

async function measure({ file, env: sideEnv }) {
  const startedAt = performance.now();
  const child = await Child.start(file, { env: sideEnv });
  const startMs = performance.now() - startedAt;
  const startCpuMs = cpuMs(child.pid);
  // What the start left behind is collected meanwhile.
  await sleep(SETTLE_SECONDS * 1_000);
  const before = cpuMs(child.pid);
  await sleep(IDLE_SECONDS * 1_000);
  const idleShare = (cpuMs(child.pid) - before) / (IDLE_SECONDS * 1_000);
  const sample = { startMs, startCpuMs, rssMiB: rssBytes(child.pid) / 1_048_576, idlePercent: idleShare * 100 };
  await child.stop();
  return sample;
}

const samples = new Map(sides.map((side) => [side, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const side of sides) samples.get(side).push(await measure(side));
}

console.log(
  `Median of ${ROUNDS} interleaved rounds; idle for ${IDLE_SECONDS} s; Node ${process.version}, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}.\n`,
);
const columns = [
  ['ready after, ms', 'startMs', 0],
  ['CPU until then, ms', 'startCpuMs', 0],
  ['RSS at rest, MiB', 'rssMiB', 0],
  ['CPU at rest, % of a core', 'idlePercent', 2],
];
printTable(
  ['', ...columns.map(([title]) => title)],
  sides.map((side) => [
    side.name,
    ...columns.map(([, name, digits]) => median(samples.get(side).map((sample) => sample[name])).toFixed(digits)),
  ]),
);
await redis.stop();
