// CPU time that a caller spends per command, against one server that costs the same for all: the client of the product beside Nest's
// ClientProxy and a bare socket.
// Usage: npm run bench -- client-cpu [--build=directory of the build, default dist] [--rounds=7]
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { buildDirectory } from './support/build.mjs';
import { Child } from './support/child.mjs';
import { numberFlag } from './support/flags.mjs';
import { printTable } from './support/markdown-table.mjs';
import { median } from './support/median.mjs';

const ROUNDS = numberFlag('rounds', 7);
const LOADS = [
  { inFlight: 1, count: 3_000 },
  { inFlight: 64, count: 15_000 },
  { inFlight: 256, count: 15_000 },
];

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const args = [`--build=${buildDirectory}`];
const server = await Child.start(file('command-cpu/bare.server.mjs'), { args: [...args, '--one-write-per-tick'] });
const sides = [
  { name: "commander's client", kind: 'commander' },
  { name: "Nest's ClientProxy", kind: 'nest' },
  { name: 'bare net', kind: 'bare' },
];
for (const side of sides) {
  side.child = await Child.start(file('client-cpu/client.mjs'), {
    args: [...args, `--kind=${side.kind}`, `--port=${server.ready.port}`],
  });
  side.samples = LOADS.map(() => []);
}
for (let round = 0; round <= ROUNDS; round++) {
  for (const [index, load] of LOADS.entries()) {
    for (let turn = 0; turn < sides.length; turn++) {
      const side = sides[(turn + round) % sides.length];
      const { micros } = await side.child.ask({ ask: 'drive', ...load });
      // The first round compiles.
      if (round > 0) side.samples[index].push(micros);
    }
  }
}
console.log(
  `Client CPU, µs per command, median of ${ROUNDS} interleaved rounds; Node ${process.version}, ${availableParallelism()} cores, ` +
    `load ${loadavg()[0].toFixed(1)}. In parentheses: as a share of Nest's ClientProxy.\n`,
);
const nest = sides[1].samples.map(median);
printTable(
  ['', ...LOADS.map(({ inFlight }) => `${inFlight} in flight`)],
  sides.map(({ name, samples }) => [
    name,
    ...samples.map((values, index) => `${median(values).toFixed(1)} (${(median(values) / nest[index]).toFixed(2)})`),
  ]),
);
for (const { child } of sides) await child.stop();
await server.stop();
