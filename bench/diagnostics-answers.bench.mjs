// What each answer of the diagnostics costs the process that is asked, with a thousand live resources and with a million:
// an answer may take 50 ms, and must not depend on how much is alive but on how many places made it.
// Usage: npm run bench -- diagnostics-answers [--live=1000000] [--sites=2000] [--reads=20] [--firsts=3] [--build=dist]
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Child } from './support/child.mjs';
import { mainThreadCpuMs } from './support/cpu-time.mjs';
import { numberFlag } from './support/flags.mjs';
import { printTable } from './support/markdown-table.mjs';
import { median } from './support/median.mjs';
import { benchNodeArguments } from './support/node-arguments.mjs';

const LIVE_COUNT = numberFlag('live', 1_000_000);
const SITES_COUNT = numberFlag('sites', 2_000);
const READS = numberFlag('reads', 20);
/** Processes whose first answer is measured, for each: when V8's compiler gets at what is new there is not the same twice. */
const FIRSTS = numberFlag('firsts', 3);
const LIMIT_MS = 50;
/**
 * Nobody asks sooner. By then is put together what is so ahead (a thousand places a second), and it is between two looks of the detector
 * (every 5 s): an answer that falls into the first of them waits for it.
 */
const SETTLE_MS = 6_500;

const program = fileURLToPath(new URL('diagnostics-answers/program.mjs', import.meta.url));
const build = process.argv.filter((argument) => argument.startsWith('--build='));

/** The groups' path is completed with an id that is there. */
const paths = [
  '/diagnostics',
  '/diagnostics?format=text',
  '/diagnostics/groups',
  '/diagnostics/groups?limit=200&sort=age',
  '/diagnostics/groups?format=text',
  '/diagnostics/groups/:id',
  '/diagnostics/verdicts',
  '/diagnostics/history',
  '/diagnostics/lives',
  '/diagnostics/heap',
  '/diagnostics/profiles/handles',
  '/diagnostics/profiles/heap',
  '/diagnostics/report',
  '/diagnostics/openapi.json',
  '/debug/pprof/',
  '/metrics',
];

/** Asks until there is an answer: the diagnostics take 50 requests a second. @returns how long the answer itself took, in ms */
async function answered(url) {
  for (;;) {
    const startedMs = performance.now();
    const { status, body } = await fetch(url).then(async (answer) => ({
      status: answer.status,
      body: await answer.arrayBuffer(),
    }));
    if (status === 200) return performance.now() - startedMs;
    if (status !== 429) throw new Error(`${url}: ${status} ${Buffer.from(body).toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

const started = (liveCount) =>
  Child.start(program, {
    args: [String(liveCount), String(SITES_COUNT), ...build],
    nodeArgs: [...benchNodeArguments, '--expose-gc'],
  });

/** The first answer of a process that was asked nothing before. Null where the path is not built into it. */
async function firstAnswer(path, liveCount) {
  const child = await started(liveCount);
  try {
    await sleep(SETTLE_MS);
    const before = (await child.ask({ ask: 'cpu' })).micros;
    const mainBeforeMs = mainThreadCpuMs(child.pid);
    const startedMs = performance.now();
    const answer = await fetch(`http://127.0.0.1:${child.ready.port}${path}`);
    await answer.arrayBuffer();
    const wallMs = performance.now() - startedMs;
    const mainMs = mainThreadCpuMs(child.pid) - mainBeforeMs;
    const allMs = ((await child.ask({ ask: 'cpu' })).micros - before) / 1_000;
    return answer.status === 404 ? null : { wallMs, mainMs, allMs };
  } finally {
    await child.stop();
  }
}

/** Medians over several processes. */
async function firstAnswers(path, liveCount) {
  const all = [];
  for (let process = 0; process < FIRSTS; process++) {
    const first = await firstAnswer(path, liveCount);
    if (first === null) return null;
    all.push(first);
  }
  const middle = (key) => median(all.map((first) => first[key]));
  return { wallMs: middle('wallMs'), mainMs: middle('mainMs'), allMs: middle('allMs') };
}

async function measured(liveCount) {
  const child = await started(liveCount);
  try {
    const base = `http://127.0.0.1:${child.ready.port}`;
    const { groups } = await (await fetch(`${base}/diagnostics/groups?limit=1`)).json();
    const costs = new Map();
    for (const path of paths) {
      const url = base + path.replace(':id', groups[0].id);
      const probe = await fetch(url);
      await probe.arrayBuffer();
      // Not built into this one.
      if (probe.status === 404) continue;
      // Compiled by then; the first one is told apart.
      for (let read = 0; read < READS; read++) await answered(url);
      const walls = [];
      const before = (await child.ask({ ask: 'cpu' })).micros;
      for (let read = 0; read < READS; read++) {
        walls.push(await answered(url));
      }
      const cpuMs = ((await child.ask({ ask: 'cpu' })).micros - before) / READS / 1_000;
      costs.set(path, { cpuMs, wallMs: median(walls) });
    }
    const { microsEach } = await child.ask({ ask: 'peer', count: READS });
    costs.set('prom-client’s default collectors, for comparison', {
      cpuMs: microsEach / 1_000,
      wallMs: NaN,
    });
    return { costs, id: groups[0].id };
  } finally {
    await child.stop();
  }
}

const few = await measured(SITES_COUNT);
const many = await measured(LIVE_COUNT);
const firsts = new Map();
// The id of a place is the same in every process.
for (const path of paths) firsts.set(path, await firstAnswers(path.replace(':id', many.id), LIVE_COUNT));
const counted = (count) => count.toLocaleString('en-US');
console.log(
  `ms per answer, mean of ${READS} reads (CPU) and median (wall), median of the first of ${FIRSTS} processes each; ${counted(SITES_COUNT)} places; Node ${process.version}, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}.\n`,
);
const figure = (ms) => (ms === undefined || Number.isNaN(ms) ? '–' : ms.toFixed(1));
printTable(
  [
    'answer',
    `CPU, ${counted(SITES_COUNT)} alive`,
    `CPU, ${counted(LIVE_COUNT)} alive`,
    'wall',
    'the first of a process: wall',
    'main thread',
    'all threads',
  ],
  [...many.costs].map(([path, { cpuMs, wallMs }]) => {
    const first = firsts.get(path);
    return [
      `\`${path}\``,
      figure(few.costs.get(path).cpuMs),
      figure(cpuMs),
      figure(wallMs),
      figure(first?.wallMs),
      figure(first?.mainMs),
      figure(first?.allMs),
    ];
  }),
);
const slow = [...many.costs].filter(([, { cpuMs }]) => cpuMs > LIMIT_MS).map(([path]) => path);
const slowFirst = [...firsts].filter(([, first]) => first?.allMs > LIMIT_MS).map(([path]) => `${path} (the first)`);
if (slow.length + slowFirst.length > 0) {
  console.error(`above ${LIMIT_MS} ms of CPU: ${[...slow, ...slowFirst].join(', ')}`);
  process.exitCode = 1;
}
