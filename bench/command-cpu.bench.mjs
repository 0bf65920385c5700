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

const ROUNDS = numberFlag('rounds', 7);

const servers = [
  { name: 'commander', file: 'commander.server.mjs', args: [] },
  { name: 'stock Nest TCP', file: 'stock-nest.server.mjs', args: [] },
  { name: 'bare net', file: 'bare.server.mjs', args: [] },
  { name: 'bare net, one write per tick', file: 'bare.server.mjs', args: ['--one-write-per-tick'] },
];
const loads = [
  { name: '1 in flight', connections: 1, inFlight: 1, isBurst: false, requests: 8_000 },
  { name: '64 in flight', connections: 1, inFlight: 64, isBurst: false, requests: 20_000 },
  { name: '256 in flight', connections: 1, inFlight: 256, isBurst: false, requests: 20_000 },
  { name: '64 connections × 1', connections: 64, inFlight: 1, isBurst: false, requests: 12_800 },
  { name: '64 connections × 4', connections: 64, inFlight: 4, isBurst: false, requests: 25_600 },
  { name: 'bursts of 20', connections: 1, inFlight: 20, isBurst: true, requests: 10_000 },
];

async function start(file, args = []) {
  const child = fork(fileURLToPath(new URL(`command-cpu/${file}`, import.meta.url)), [
    `--build=${buildDirectory}`,
    ...args,
  ]);
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
  for (const [index, { name: _name, ...shape }] of loads.entries()) {
    for (let turn = 0; turn < servers.length; turn++) {
      const server = servers[(turn + round) % servers.length];
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

console.log(
  `Server CPU, µs per command, median of ${ROUNDS} interleaved rounds; Node ${process.version}, ${availableParallelism()} cores.`,
);
console.log('In parentheses: as a share of stock Nest.\n');
console.log(`| server | ${loads.map(({ name }) => name).join(' | ')} | RSS, MB |`);
console.log(`| --- |${' ---: |'.repeat(loads.length + 1)}`);
const stock = servers[1].samples.map(median);
for (const { name, samples, rssBytes } of servers) {
  const cells = samples.map(
    (values, index) => `${median(values).toFixed(2)} (${(median(values) / stock[index]).toFixed(2)})`,
  );
  console.log(`| ${name} | ${cells.join(' | ')} | ${Math.round(rssBytes / 1e6)} |`);
}
console.log(`\np99 latency, ms, seen by the load; in parentheses as a share of stock Nest.\n`);
console.log(`| server | ${loads.map(({ name }) => name).join(' | ')} |`);
console.log(`| --- |${' ---: |'.repeat(loads.length)}`);
const stockP99 = servers[1].p99s.map(median);
for (const { name, p99s } of servers) {
  const cells = p99s.map(
    (values, index) => `${median(values).toFixed(2)} (${(median(values) / stockP99[index]).toFixed(2)})`,
  );
  console.log(`| ${name} | ${cells.join(' | ')} |`);
}
for (const { child, load } of servers) {
  load.disconnect();
  child.disconnect();
}
