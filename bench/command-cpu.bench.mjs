// CPU time that a server spends per command. Servers and load run in processes of their own; every round measures every
// server once in every pattern of load, so that a slow minute of the machine hits all of them. Prints a Markdown table.
// Usage: npm run bench -- command-cpu [--build=directory of the build, default dist] [--rounds=7]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { buildDirectory } from './support/build.mjs';
import { numberFlag } from './support/flags.mjs';
import { median } from './support/median.mjs';
import { benchNodeArguments } from './support/node-arguments.mjs';

const ROUNDS = numberFlag('rounds', 7);

const servers = [
  { name: 'commander', file: 'commander.server.mjs', args: [] },
  { name: 'stock Nest TCP', file: 'stock-nest.server.mjs', args: [] },
  { name: 'bare net', file: 'bare.server.mjs', args: [] },
  { name: 'bare net, one write per tick', file: 'bare.server.mjs', args: ['--one-write-per-tick'] },
];
// In short pieces, one server after the other: the slowest replies are those that met something else on the machine, and
// what is compared must have met the same.
const loads = [
  { name: '1 in flight', connections: 1, inFlight: 1, isBurst: false, requests: 2_000, pieces: 8 },
  { name: '64 in flight', connections: 1, inFlight: 64, isBurst: false, requests: 10_000, pieces: 6 },
  { name: '256 in flight', connections: 1, inFlight: 256, isBurst: false, requests: 10_000, pieces: 6 },
  { name: '64 connections × 1', connections: 64, inFlight: 1, isBurst: false, requests: 6_400, pieces: 4 },
  { name: '64 connections × 4', connections: 64, inFlight: 4, isBurst: false, requests: 12_800, pieces: 4 },
  { name: 'bursts of 20', connections: 1, inFlight: 20, isBurst: true, requests: 2_500, pieces: 2 },
];

async function start(file, args = []) {
  const program = fileURLToPath(new URL(`command-cpu/${file}`, import.meta.url));
  const child = fork(program, [`--build=${buildDirectory}`, ...args], { execArgv: benchNodeArguments });
  child.once('exit', (code) => {
    if (code) throw new Error(`${file} exited with ${code}`);
  });
  const [message] = await once(child, 'message');
  return { child, port: message.port };
}

async function ask(child, message) {
  child.send(message);
  const [answer] = await once(child, 'message');
  return answer;
}

for (const server of servers)
  Object.assign(server, await start(server.file, server.args), {
    // One for each: what the load has compiled for the replies of one server must not slow down what it sees of another.
    load: (await start('load.mjs')).child,
    samples: loads.map(() => []),
    p99s: loads.map(() => []),
  });

for (let round = 0; round <= ROUNDS; round++) {
  for (const [index, { name: _name, pieces, ...shape }] of loads.entries()) {
    for (let turn = 0; turn < pieces * servers.length; turn++) {
      // Whoever comes first in a piece comes second in the next.
      const server = servers[(turn + Math.floor(turn / servers.length) + round) % servers.length];
      const before = await ask(server.child, 'usage');
      const { p99Ms } = await ask(server.load, { port: server.port, ...shape });
      const after = await ask(server.child, 'usage');
      // The first round compiles.
      if (round > 0) {
        server.samples[index].push((after.cpuMicros - before.cpuMicros) / shape.requests);
        server.p99s[index].push(p99Ms);
      }
      server.rssBytes = after.rssBytes;
    }
  }
}

/** Medians, and beside each the median of its ratios to what was measured of the other next to it. */
function cells(mine, stock) {
  return mine
    .map((values, index) => {
      const shares = values.map((value, at) => value / stock[index][at]);
      return `${median(values).toFixed(2)} (${median(shares).toFixed(2)})`;
    })
    .join(' | ');
}

console.log(
  `Server CPU, µs per command, median of ${ROUNDS} interleaved rounds; Node ${process.version}, ${availableParallelism()} cores.`,
);
console.log('In parentheses: as a share of stock Nest, the median of the shares of single measurements.\n');
console.log(`| server | ${loads.map(({ name }) => name).join(' | ')} | RSS, MB |`);
console.log(`| --- |${' ---: |'.repeat(loads.length + 1)}`);
for (const { name, samples, rssBytes } of servers) {
  console.log(`| ${name} | ${cells(samples, servers[1].samples)} | ${Math.round(rssBytes / 1e6)} |`);
}
console.log(`\np99 latency, ms, seen by the load; in parentheses as above.\n`);
console.log(`| server | ${loads.map(({ name }) => name).join(' | ')} |`);
console.log(`| --- |${' ---: |'.repeat(loads.length)}`);
for (const { name, p99s } of servers) console.log(`| ${name} | ${cells(p99s, servers[1].p99s)} |`);
for (const { child, load } of servers) {
  load.disconnect();
  child.disconnect();
}
