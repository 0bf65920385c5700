// What it costs to choose an agent, by how many there are: Redis' time for the script that takes a place (INFO commandstats) and the
// CPU of the replica that asks for it (route, encode, send, decode), per dispatch. Dispatches are one command each, as the first of a
// quiet moment is; of those made together one command looks at each agent once.
// Usage: npm run bench -- routing [--build=directory of the build, default dist] [--rounds=5] [--dispatches=200]
import { built } from './support/build.mjs';
import { numberFlag } from './support/flags.mjs';
import { printTable } from './support/markdown-table.mjs';
import { median } from './support/median.mjs';
import { RedisProcess } from './support/redis-process.mjs';

const ROUNDS = numberFlag('rounds', 5);
const DISPATCHES = numberFlag('dispatches', 200);
const AGENTS = [10, 100, 1_000];
const CAPACITY = 10;
const AGENTS_KEY = '{bench}:agents:default';
const PREFIX = '{bench}:agent:default';

const { acquireLua } = built('agents/acquire.lua.js');
const { routeAgents } = built('agents/agent-router.js');

/** Runs under way: none, on nine of ten agents, and two on every agent. */
const loads = {
  idle: () => 0,
  'nine of ten busy': (at) => (at % 10 === 9 ? 0 : 1),
  'all busy': () => 2,
};

async function fill(redis, count, taken) {
  const pipeline = redis.pipeline().flushall();
  const leaseUntil = Date.now() + 3_600_000;
  for (let at = 0; at < count; at += 1) {
    const key = `${PREFIX}:agent-${at}`;
    pipeline.zadd(AGENTS_KEY, leaseUntil, `agent-${at}`);
    pipeline.hset(key, {
      capacity: CAPACITY,
      draining: 0,
      suspectUntil: 0,
      ejections: 0,
      returnPlaces: 0,
      host: '10.0.0.1',
      port: 7000,
      instanceEpoch: 1,
    });
    for (let place = 0; place < taken(at); place += 1) {
      pipeline.zadd(`${key}:places`, leaseUntil, `run-${at}-${place}#1`);
    }
  }
  await pipeline.exec();
}

function entries(count) {
  return Array.from({ length: count }, (_, at) => ({
    agentId: `agent-${at}`,
    labels: {},
    capabilities: ['job'],
    capacity: CAPACITY,
    isDraining: false,
    suspectUntil: 0,
    ejectedAt: 0,
    ejections: 0,
    leaseExpiresAt: Date.now() + 3_600_000,
  }));
}

async function round(redis, strategy, agents) {
  const sha = await redis.script('LOAD', acquireLua);
  await redis.config('RESETSTAT');
  const cpuBefore = process.cpuUsage();
  for (let run = 0; run < DISPATCHES; run += 1) {
    const routed = routeAgents(agents, { route: { strategy }, jobName: 'job' }, Date.now());
    const query = {
      agents: AGENTS_KEY,
      turns: '{bench}:turns',
      prefix: PREFIX,
      place: `own#${run}`,
      leaseMs: 60_000,
      order: routed.order,
      bucket: String(routed.bucket),
      returnPlaces: 1,
      candidates: routed.candidates.flatMap(({ tier, agentId }) => [tier, agentId]),
    };
    const [outcome, id] = await redis.evalsha(sha, 1, AGENTS_KEY, JSON.stringify(query));
    if (outcome !== 'taken') throw new Error(`no place: ${outcome}`);
    await redis.zrem(`${PREFIX}:${id}:places`, query.place);
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const stats = await redis.info('commandstats');
  return {
    redisMicros: Number(/cmdstat_evalsha:.*usec_per_call=([\d.]+)/.exec(stats)[1]),
    replicaMicros: (user + system) / DISPATCHES,
  };
}

const server = await RedisProcess.start();
try {
  const rows = [];
  for (const [load, taken] of Object.entries(loads)) {
    for (const strategy of ['round-robin', 'least-loaded']) {
      const cells = [];
      for (const count of AGENTS) {
        await fill(server.client, count, taken);
        const agents = entries(count);
        const rounds = [];
        for (let one = 0; one < ROUNDS; one += 1) rounds.push(await round(server.client, strategy, agents));
        const redis = median(rounds.map(({ redisMicros }) => redisMicros));
        const replica = median(rounds.map(({ replicaMicros }) => replicaMicros));
        cells.push(`${redis.toFixed(0)} + ${replica.toFixed(0)}`);
      }
      rows.push([`${strategy}, ${load}`, ...cells]);
    }
  }
  printTable(['µs of Redis + of the replica', ...AGENTS.map((count) => `${count} agents`)], rows);
} finally {
  await server.stop();
}
