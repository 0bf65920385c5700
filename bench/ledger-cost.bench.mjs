// CPU per operation with the ledger on, against the same program with it off. On and off take turns in one process every
// twentieth of a second, beside a null control (nothing is switched) that shows what the machine alone does to the ratio.
// Then the same for the ledger and its peers, each in a process of its own. Prints two Markdown tables.
// Usage: npm run bench -- ledger-cost [--quick] [--only=timer] [--fours=300] [--segment-ms=50] [--processes=3] [--peer-rounds=5]
// [--kinds=sockets,http-requests] [--build=dist]. With `--kinds` the ledger that is switched has the hooks of these kinds only.
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Child } from './support/child.mjs';
import { numberFlag, textFlag } from './support/flags.mjs';
import { printTable } from './support/markdown-table.mjs';
import { changeText, medianChange } from './support/median-interval.mjs';
import { median } from './support/median.mjs';
import { RedisProcess } from './support/redis-process.mjs';

const quick = process.argv.includes('--quick');
const only = textFlag('only', '');
const FOURS = numberFlag('fours', quick ? 60 : 300);
const PROCESSES = numberFlag('processes', quick ? 1 : 3);
const PEER_ROUNDS = numberFlag('peer-rounds', quick ? 2 : 5);
const SEGMENT_MS = numberFlag('segment-ms', 50);
const KINDS = textFlag('kinds', '');

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
if (names.length === 0) throw new Error(`--only: part of one of ${Object.keys(targets).join(', ')}`);
const peers = ['none', 'ledger', 'async_hooks count', 'why-is-node-running', 'wtfnode'];

const program = fileURLToPath(new URL('ledger-cost/program.mjs', import.meta.url));
const build = process.argv.filter((argument) => argument.startsWith('--build='));
const start = (name, observer) => Child.start(program, { args: [name, observer, String(redis.port), KINDS, ...build] });
const perOperation = ({ cpuMicros, count }) => cpuMicros / count;

/** One workload in several processes: each compiles and lies in memory in its own way. */
async function measured(name) {
  const all = { subject: [], control: [], offMicros: [], onMs: 0, captures: 0, captureMs: 0, tickMs: 0 };
  for (let index = 0; index < PROCESSES; index++) {
    const child = await start(name, 'switched');
    const fours = Math.ceil(FOURS / PROCESSES);
    const part = await child.ask({ ask: 'paired', warmUpFours: 10, fours, segmentMs: SEGMENT_MS });
    await child.stop();
    for (const key of Object.keys(all))
      all[key] = Array.isArray(all[key]) ? [...all[key], ...part[key]] : all[key] + part[key];
  }
  return all;
}

const redis = await RedisProcess.start();
try {
  const rows = [];
  for (const name of names) {
    const { subject, control, offMicros, onMs, captures, captureMs, tickMs } = await measured(name);
    const cost = medianChange(subject);
    const target = targets[name] * 100;
    rows.push([
      name,
      median(offMicros).toFixed(2),
      changeText(medianChange(control)),
      changeText(cost),
      `≤ ${target} %`,
      cost.high <= target
        ? 'met'
        : cost.low > target
          ? 'missed'
          : cost.median <= target
            ? 'met, not for sure'
            : 'missed, not for sure',
      `${((captureMs / onMs) * 100).toFixed(2)} % + ${((tickMs / onMs) * 100).toFixed(2)} %`,
      ((captures / onMs) * 1_000).toFixed(0),
    ]);
  }
  console.log(
    `CPU the ledger adds per operation: median of ${FOURS} comparisons in ${PROCESSES} processes, segments of ${SEGMENT_MS} ms, with its 95 % interval; Node ${process.version}, ${availableParallelism()} cores.\n`,
  );
  printTable(
    [
      'workload',
      'CPU per operation, µs',
      'null control',
      'ledger',
      'target',
      '',
      'stacks + ticks by its own clock',
      'stacks/s',
    ],
    rows,
  );

  if (PEER_ROUNDS > 0) {
    console.log(
      `CPU per operation as a multiple of the same program without an observer; median of ${PEER_ROUNDS} rounds.\n`,
    );
    const multiples = [];
    for (const name of names) {
      const costs = Object.fromEntries(peers.map((peer) => [peer, []]));
      for (let round = 0; round < PEER_ROUNDS; round++) {
        for (const peer of [...peers].sort(() => Math.random() - 0.5)) {
          const child = await start(name, peer);
          costs[peer].push(perOperation(await child.ask({ ask: 'segment', warmUpMs: 800, ms: 1_200 })));
          await child.stop();
        }
      }
      multiples.push([name, ...peers.slice(1).map((peer) => (median(costs[peer]) / median(costs.none)).toFixed(2))]);
    }
    printTable(['workload', ...peers.slice(1)], multiples);
  }
} finally {
  await redis.stop();
}
