// What one read of each measurement costs, and what the running observers cost a process that nobody looks at.
// Usage: npm run bench -- diagnostics-read [--build=directory of the build, default dist]
// Rounds of all measurements are interleaved, so that a busy moment of the machine does not fall on one of them alone;
// the figure is the median of the rounds, and CPU time is the process's own.
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { built, require } from './support/build.mjs';
import { median } from './support/median.mjs';

require('reflect-metadata');
const { standardMeasurements } = built('diagnostics/summary/standard-measurements.js');
const { SummaryPart } = built('diagnostics/summary/summary.part.js');
const { summaryText } = built('diagnostics/summary/summary-text.js');

const ROUNDS = 40;
const READS_PER_ROUND = 50;

const cpuUs = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

async function costsOf(tasks) {
  const samples = new Map(tasks.map(([name]) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, work] of tasks) {
      const before = process.hrtime.bigint();
      for (let i = 0; i < READS_PER_ROUND; i++) await work();
      samples.get(name).push(Number(process.hrtime.bigint() - before) / 1e3 / READS_PER_ROUND);
    }
  }
  return tasks.map(([name]) => [name, median(samples.get(name))]);
}

function table(title, rows) {
  const width = Math.max(...rows.map(([name]) => name.length));
  console.log(`\n${title}`);
  for (const [name, us] of rows) console.log(`  ${name.padEnd(width)}  ${us.toFixed(1).padStart(8)}`);
}

console.log(`node ${process.version}, ${READS_PER_ROUND} reads × ${ROUNDS} rounds, µs per read (median of the rounds)`);

const measurements = standardMeasurements();
for (const measurement of measurements) measurement.start?.();
const service = new SummaryPart([], console);
service.start();
await sleep(100);

const tasks = () => [
  ...measurements.map((measurement) => [measurement.name, () => measurement.read()]),
  ['whole answer', () => service.read()],
  ['whole answer as JSON', async () => JSON.stringify(await service.read(), null, 2)],
  ['whole answer as text', async () => summaryText(await service.read())],
];
await costsOf(tasks()); // warm
table('at rest', await costsOf(tasks()));

const files = Array.from({ length: 5_000 }, () => openSync('/dev/null'));
const timers = Array.from({ length: 100_000 }, () => setTimeout(() => undefined, 3_600_000));
table(
  'with 5,000 open files and 100,000 timers',
  await costsOf(tasks().filter(([name]) => ['openFds', 'activeResources', 'whole answer'].includes(name))),
);
for (const file of files) closeSync(file);
for (const timer of timers) clearTimeout(timer);
service.stop();
for (const measurement of measurements) measurement.stop?.();

// Standing cost: CPU of an idle process without and with everything started, in turns.
const IDLE_MS = 2_000;
const idle = { off: [], on: [] };
for (let turn = 0; turn < 5; turn++) {
  for (const mode of ['off', 'on']) {
    if (mode === 'on') for (const measurement of measurements) measurement.start?.();
    const before = cpuUs();
    await sleep(IDLE_MS);
    idle[mode].push((cpuUs() - before) / (IDLE_MS / 1_000));
    for (const measurement of measurements) measurement.stop?.();
  }
}
table('standing cost, µs of CPU per second of an idle process', [
  ['nothing started', median(idle.off)],
  ['everything started', median(idle.on)],
]);
