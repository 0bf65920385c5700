// CPU per operation with the ledger on, against the same program with it off. On and off take turns in one process in many
// short segments, in random order, beside a null control (off against off) that shows what the machine alone does to the
// ratio. Then the same for the ledger and its peers, each in a process of its own. Prints two Markdown tables.
// Usage: npm run bench -- ledger-cost [--quick] [--only=timer] [--rounds=40] [--peer-rounds=5] [--build=dist]
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Child } from './support/child.mjs';
import { numberFlag } from './support/flags.mjs';
import { median } from './support/median.mjs';
import { RedisProcess } from './support/redis-process.mjs';

const quick = process.argv.includes('--quick');
const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length) ?? '';
const ROUNDS = numberFlag('rounds', quick ? 8 : 40);
const PEER_ROUNDS = numberFlag('peer-rounds', quick ? 2 : 5);
const SEGMENT = {
  // Switching changes what the compiler has assumed, and the first second takes a burst of stacks: neither is the steady cost.
  warmUpMs: numberFlag('warm-up-ms', quick ? 600 : 1_200),
  ms: numberFlag('segment-ms', 400),
};

/** Highest share of CPU the ledger may add. */
const targets = {
  'HTTP keep-alive': 0.01,
  'HTTP connection per request': 0.03,
  'ioredis traffic': 0.01,
  'ioredis client churn': 0.03,
  'promise-heavy': 0.01,
  'timer-heavy': 0.03,
  'command path': 0.01,
};
const names = Object.keys(targets).filter((name) => name.includes(only));
const peers = ['none', 'ledger', 'async_hooks count', 'why-is-node-running', 'wtfnode'];

const program = fileURLToPath(new URL('ledger-cost/program.mjs', import.meta.url));
const build = process.argv.filter((argument) => argument.startsWith('--build='));
const start = (name, observer) => Child.start(program, { args: [name, observer, String(redis.port), ...build] });
const perOperation = ({ cpuMicros, count }) => cpuMicros / count;

/** 95 % confidence interval of the median, by bootstrap. */
function interval(values) {
  const draws = Array.from({ length: 2_000 }, () =>
    median(values.map(() => values[Math.floor(Math.random() * values.length)])),
  ).sort((a, b) => a - b);
  return [draws[50], draws[1_949]];
}

function percent(ratio) {
  return `${((ratio - 1) * 100).toFixed(1)} %`;
}

function withInterval(ratios) {
  const [low, high] = interval(ratios);
  return `${percent(median(ratios))} (${percent(low)} … ${percent(high)})`;
}

const redis = await RedisProcess.start();
try {
  console.log(
    `CPU the ledger adds per operation: median of ${ROUNDS} rounds with its 95 % interval; Node ${process.version}, ${availableParallelism()} cores.\n`,
  );
  console.log('| workload | CPU per operation, µs | null control | ledger | target |');
  console.log('| --- | ---: | ---: | ---: | ---: |');
  for (const name of names) {
    const child = await start(name, 'none');
    const ratios = { ledger: [], null: [] };
    const off = [];
    for (let round = -1; round < ROUNDS; round++) {
      const cost = {};
      const order = ['off', 'ledger', 'null a', 'null b'].sort(() => Math.random() - 0.5);
      for (const segment of order) {
        cost[segment] = perOperation(await child.ask({ ask: 'segment', ledger: segment === 'ledger', ...SEGMENT }));
      }
      // The first round compiles.
      if (round < 0) continue;
      off.push(cost.off);
      ratios.ledger.push(cost.ledger / cost.off);
      ratios.null.push(cost['null a'] / cost['null b']);
    }
    await child.stop();
    const target = `≤ ${targets[name] * 100} %`;
    console.log(
      `| ${name} | ${median(off).toFixed(2)} | ${withInterval(ratios.null)} | ${withInterval(ratios.ledger)} | ${target} |`,
    );
  }

  if (PEER_ROUNDS > 0) {
    console.log(
      `\nCPU per operation as a multiple of the same program without an observer; median of ${PEER_ROUNDS} rounds.\n`,
    );
    console.log(`| workload | ${peers.slice(1).join(' | ')} |`);
    console.log(`| --- |${' ---: |'.repeat(peers.length - 1)}`);
    for (const name of names) {
      const costs = Object.fromEntries(peers.map((peer) => [peer, []]));
      for (let round = 0; round < PEER_ROUNDS; round++) {
        for (const peer of [...peers].sort(() => Math.random() - 0.5)) {
          const child = await start(name, peer);
          const answer = await child.ask({
            ask: 'segment',
            ledger: false,
            warmUpMs: 2 * SEGMENT.ms,
            ms: 3 * SEGMENT.ms,
          });
          costs[peer].push(perOperation(answer));
          await child.stop();
        }
      }
      const multiples = peers.slice(1).map((peer) => (median(costs[peer]) / median(costs.none)).toFixed(2));
      console.log(`| ${name} | ${multiples.join(' | ')} |`);
    }
  }
} finally {
  await redis.stop();
}
