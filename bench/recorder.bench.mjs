// What the recorder costs: a sample, a line in its file, a look at the memory. CPU time of this process per operation.
// Usage: npm run bench -- recorder [--build=directory of the build, default dist] [--rounds=15] [--live=200]
// Rounds of all tasks are interleaved, so that a busy moment of the machine does not fall on one of them alone; the figure is the
// median of the rounds.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { built } from './support/build.mjs';
import { numberFlag } from './support/flags.mjs';
import { printTable } from './support/markdown-table.mjs';
import { median } from './support/median.mjs';

const rounds = numberFlag('rounds', 15);
const { startLedger, trackResource } = built('ledger/index.js');
const { SampleTaker } = built('diagnostics/recorder/sample-taker.js');
const { MemoryReader } = built('ledger/process/memory-figures.js');
const { EvidenceDirectory } = built('diagnostics/recorder/files/evidence-directory.js');
const { LifeFile } = built('diagnostics/recorder/files/life-file.js');

// Every place gets its stack, however fast they are made.
startLedger({ captureBurst: 100_000 });
// As many places as a service of some size has.
const PLACES_COUNT = 200;
const held = Array.from({ length: numberFlag('live', PLACES_COUNT) }, (_, index) => ({ kind: `bench-${index % 4}` }));
const makers = Array.from(
  { length: PLACES_COUNT },
  (_, place) => new Function('track', 'object', `${'\n'.repeat(place)}track(object.kind, object)`),
);
for (const [index, object] of held.entries()) makers[index % PLACES_COUNT](trackResource, object);

/** Of this process, in steps finer than those of /proc. */
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

const directory = mkdtempSync(join(tmpdir(), 'commander-bench-recorder-'));
const taker = new SampleTaker(() => null);
taker.start();
const memory = new MemoryReader();
const header = { id: 'bench', instance: 'bench', pid: process.pid, startedAt: Date.now(), identity: 'bench' };
const file = new LifeFile(new EvidenceDirectory(directory, 64 * 1024 * 1024), header, console);
file.start();
const sample = taker.take();
const tasks = [
  ['a sample', () => taker.take()],
  ['its line in the file', () => file.write({ sample, isNearLimit: false, verdicts: [] })],
  ['a look at the memory', () => memory.read()],
];
const TIMES = 200;
const costs = new Map(tasks.map(([name]) => [name, []]));
for (let round = 0; round <= rounds; round++) {
  for (const [name, work] of tasks) {
    const before = cpuMs();
    for (let times = 0; times < TIMES; times++) work();
    // The first round warms up.
    if (round > 0) costs.get(name).push(((cpuMs() - before) / TIMES) * 1_000);
  }
}
taker.stop();
file.stop();
rmSync(directory, { recursive: true, force: true });
console.log(`node ${process.version}, ${held.length} places, ${rounds} rounds, CPU µs per operation (median)\n`);
printTable(
  ['', 'µs', 'how often'],
  [
    ['a sample', median(costs.get('a sample')).toFixed(0), '10 s'],
    ['its line in the file', median(costs.get('its line in the file')).toFixed(0), '10 s'],
    ['a look at the memory', median(costs.get('a look at the memory')).toFixed(0), '1 s'],
  ],
);
