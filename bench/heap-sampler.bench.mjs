// CPU per operation with the heap sampler on (a sample per 512 KiB, as it runs by default), against the same process with it
// off. Off and on take turns in one process in short segments, in random order, beside a null control (off against off).
// Usage: npm run bench -- heap-sampler [--rounds=30] [--segment-ms=500] [--only=HTTP] [--build=dist]
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Child } from './support/child.mjs';
import { numberFlag } from './support/flags.mjs';
import { printTable } from './support/markdown-table.mjs';
import { median } from './support/median.mjs';
import { RedisProcess } from './support/redis-process.mjs';

const ROUNDS = numberFlag('rounds', 30);
const SEGMENT = { warmUpMs: numberFlag('warm-up-ms', 300), ms: numberFlag('segment-ms', 500) };
const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length) ?? '';
const names = ['HTTP keep-alive', 'ioredis traffic', 'promise-heavy', 'command path'].filter((name) =>
  name.includes(only),
);

const program = fileURLToPath(new URL('heap-sampler/program.mjs', import.meta.url));
const build = process.argv.filter((argument) => argument.startsWith('--build='));

/** Median with its 95 % interval, by bootstrap. */
function told(ratios) {
  const draws = Array.from({ length: 2_000 }, () =>
    median(ratios.map(() => ratios[Math.floor(Math.random() * ratios.length)])),
  ).sort((a, b) => a - b);
  const percent = (ratio) => `${((ratio - 1) * 100).toFixed(1)} %`;
  return `${percent(median(ratios))} (${percent(draws[50])} … ${percent(draws[1_949])})`;
}

const redis = await RedisProcess.start();
try {
  const rows = [];
  for (const name of names) {
    const child = await Child.start(program, { args: [name, String(redis.port), ...build] });
    const ratios = { sampler: [], null: [] };
    const off = [];
    for (let round = -1; round < ROUNDS; round++) {
      const cost = {};
      for (const segment of ['off', 'sampler', 'null a', 'null b'].sort(() => Math.random() - 0.5)) {
        const answer = await child.ask({ ask: 'segment', sampler: segment === 'sampler', ...SEGMENT });
        cost[segment] = answer.microsEach;
      }
      // The first round compiles.
      if (round < 0) continue;
      off.push(cost.off);
      ratios.sampler.push(cost.sampler / cost.off);
      ratios.null.push(cost['null a'] / cost['null b']);
    }
    await child.stop();
    rows.push([name, median(off).toFixed(2), told(ratios.null), told(ratios.sampler)]);
  }
  console.log(
    `CPU that the heap sampler adds per operation: median of ${ROUNDS} rounds with its 95 % interval; Node ${process.version}, ${availableParallelism()} cores.\n`,
  );
  printTable(['workload', 'CPU per operation, µs', 'null control', 'heap sampler'], rows);
} finally {
  await redis.stop();
}
