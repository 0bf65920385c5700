// CPU per operation with the heap sampler on, against the same process with it off, at several mean distances between two
// samples. Off and on take turns in one process in short segments, beside a null control (nothing is switched).
// Usage: npm run bench -- heap-sampler [--fours=60] [--segment-ms=200] [--only=HTTP] [--kib=512,1024] [--build=dist]
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Child } from './support/child.mjs';
import { numberFlag, textFlag } from './support/flags.mjs';
import { printTable } from './support/markdown-table.mjs';
import { changeText, medianChange } from './support/median-interval.mjs';
import { median } from './support/median.mjs';
import { RedisProcess } from './support/redis-process.mjs';

const FOURS = numberFlag('fours', 60);
const SEGMENT_MS = numberFlag('segment-ms', 200);
const intervalsKib = textFlag('kib', '512,1024').split(',').map(Number);
const only = textFlag('only', '');
const names = ['HTTP keep-alive', 'ioredis traffic', 'promise-heavy', 'command path'].filter((name) =>
  name.includes(only),
);

const program = fileURLToPath(new URL('heap-sampler/program.mjs', import.meta.url));
const build = process.argv.filter((argument) => argument.startsWith('--build='));

const redis = await RedisProcess.start();
try {
  const rows = [];
  for (const name of names) {
    const child = await Child.start(program, { args: [name, String(redis.port), ...build] });
    const control = [];
    const offMicros = [];
    const costs = [];
    for (const kib of intervalsKib) {
      const part = await child.ask({ ask: 'paired', intervalBytes: kib * 1_024, fours: FOURS, segmentMs: SEGMENT_MS });
      control.push(...part.control);
      offMicros.push(...part.offMicros);
      costs.push(changeText(medianChange(part.subject)));
    }
    await child.stop();
    rows.push([name, median(offMicros).toFixed(2), changeText(medianChange(control)), ...costs]);
  }
  console.log(
    `CPU that the heap sampler adds per operation: median of ${FOURS} comparisons, segments of ${SEGMENT_MS} ms, with its 95 % interval; Node ${process.version}, ${availableParallelism()} cores.\n`,
  );
  printTable(
    ['workload', 'CPU per operation, µs', 'null control', ...intervalsKib.map((kib) => `a sample per ${kib} KiB`)],
    rows,
  );
} finally {
  await redis.stop();
}
