// A command that needs Redis (`run.get`: one HGETALL): commander beside the same command over one bare ioredis client with automatic
// pipelining, over a client for each call that nobody closes (the incident), and over one that is closed after use.
// Usage: npm run bench -- redis-command [--build=directory of the build, default dist] [--rounds=5]
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atOnce } from './support/at-once.mjs';
import { buildDirectory } from './support/build.mjs';
import { Child } from './support/child.mjs';
import { cpuMs } from './support/cpu-time.mjs';
import { numberFlag } from './support/flags.mjs';
import { FramedPeer } from './support/framed-peer.mjs';
import { quantile } from './support/quantile.mjs';
import { printRatios } from './support/ratio-table.mjs';
import { RedisProcess } from './support/redis-process.mjs';

const ROUNDS = numberFlag('rounds', 5);
const IN_FLIGHT = 64;

const redis = await RedisProcess.start();
const bareFile = fileURLToPath(new URL('redis-command/bare.server.mjs', import.meta.url));
const bare = (how) => Child.start(bareFile, { args: [`--redis=${redis.port}`, `--how=${how}`] });
const commander = await Child.start(join(buildDirectory, 'main.js'), {
  env: { REDIS_URL: redis.url, TCP_PORT: '0', HTTP_PORT: '0', LOG_LEVEL: 'warn', MAX_REQUESTS_PER_SECOND: '0' },
});
const sides = [
  { name: 'commander', child: commander, port: commander.ready.tcp.port, calls: 10_000 },
  { name: 'bare ioredis, one client, automatic pipelining', how: 'shared', calls: 10_000 },
  // Each call leaves a client behind.
  { name: 'a client for each call, closed after use', how: 'close-after', calls: 500 },
  { name: 'a client for each call, never closed', how: 'per-call', calls: 300 },
];
for (const side of sides) {
  if (side.how !== undefined) side.child = await bare(side.how);
  side.port ??= side.child.ready.port;
  side.peer = await FramedPeer.connect(side.port);
  side.samples = [];
}
const { runId } = await sides[0].peer.call('job.submit', {
  job: { name: 'job', payload: { url: 'x' } },
  delayMs: 86_400_000,
});

async function measure({ child, peer, calls }) {
  const tookMs = [];
  const before = { service: cpuMs(child.pid), redis: cpuMs(redis.pid) };
  await atOnce(calls, IN_FLIGHT, async () => {
    const sentAt = performance.now();
    const run = await peer.call('run.get', { runId });
    if (run.state !== 'delayed') throw new Error(JSON.stringify(run));
    tookMs.push(performance.now() - sentAt);
  });
  return {
    serviceMicros: ((cpuMs(child.pid) - before.service) * 1_000) / calls,
    redisMicros: ((cpuMs(redis.pid) - before.redis) * 1_000) / calls,
    p50Ms: quantile(tookMs, 0.5),
    p99Ms: quantile(tookMs, 0.99),
  };
}

for (let round = 0; round <= ROUNDS; round++) {
  for (let turn = 0; turn < sides.length; turn++) {
    const side = sides[(turn + round) % sides.length];
    const sample = await measure(side);
    // The first round compiles.
    if (round > 0) side.samples.push(sample);
  }
}

const clients = (await redis.client.client('LIST')).split('\n');
console.log(
  `run.get, ${IN_FLIGHT} in flight, median of ${ROUNDS} interleaved rounds; Node ${process.version}, ${availableParallelism()} cores, ` +
    `load ${loadavg()[0].toFixed(1)}. In parentheses: as a multiple of bare ioredis with one client.\n`,
);
const columns = [
  ['CPU of the service, µs per command', 'serviceMicros', 1],
  ['CPU of Redis, µs per command', 'redisMicros', 1],
  ['p50, ms', 'p50Ms', 1],
  ['p99, ms', 'p99Ms', 1],
];
printRatios(sides, columns, (side) => side.samples, sides[1]);
console.log(
  `Connections that Redis holds at the end: ${clients.length - 1}, of which ${300 * (ROUNDS + 1)} nobody closed.`,
);
for (const { peer } of sides) peer.close();
for (const { child } of sides) await child.stop();
await redis.stop();
