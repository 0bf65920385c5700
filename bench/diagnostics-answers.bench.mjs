// What each answer of the diagnostics costs the process that is asked, with a thousand live resources and with a million:
// an answer may take 50 ms, and must not depend on how much is alive but on how many places made it.
// Usage: npm run bench -- diagnostics-answers [--live=1000000] [--sites=2000] [--reads=20] [--build=dist]
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Child } from './support/child.mjs';
import { numberFlag } from './support/flags.mjs';
import { printTable } from './support/markdown-table.mjs';
import { median } from './support/median.mjs';

const LIVE_COUNT = numberFlag('live', 1_000_000);
const SITES_COUNT = numberFlag('sites', 2_000);
const READS = numberFlag('reads', 20);
const LIMIT_MS = 50;

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

async function measured(liveCount, sitesCount) {
  const child = await Child.start(program, { args: [String(liveCount), String(sitesCount), ...build] });
  try {
    const base = `http://127.0.0.1:${child.ready.port}`;
    const { groups } = await (await fetch(`${base}/diagnostics/groups?limit=1`)).json();
    const costs = new Map();
    for (const path of paths) {
      const url = base + path.replace(':id', groups[0].id);
      const beforeFirst = (await child.ask({ ask: 'cpu' })).micros;
      const first = await fetch(url);
      await first.arrayBuffer();
      const firstMs = ((await child.ask({ ask: 'cpu' })).micros - beforeFirst) / 1_000;
      // Not built into this one.
      if (first.status === 404) continue;
      // Compiled by then; the first one is told apart.
      for (let read = 0; read < READS; read++) await answered(url);
      const walls = [];
      const before = (await child.ask({ ask: 'cpu' })).micros;
      for (let read = 0; read < READS; read++) {
        walls.push(await answered(url));
      }
      const cpuMs = ((await child.ask({ ask: 'cpu' })).micros - before) / READS / 1_000;
      costs.set(path, { firstMs, cpuMs, wallMs: median(walls) });
    }
    const { microsEach } = await child.ask({ ask: 'peer', count: READS });
    costs.set('prom-client’s default collectors, for comparison', {
      firstMs: NaN,
      cpuMs: microsEach / 1_000,
      wallMs: NaN,
    });
    return costs;
  } finally {
    await child.stop();
  }
}

const few = await measured(SITES_COUNT, SITES_COUNT);
const many = await measured(LIVE_COUNT, SITES_COUNT);
console.log(
  `ms per answer, mean of ${READS} reads (CPU) and median (wall); ${SITES_COUNT.toLocaleString('en-US')} places; Node ${process.version}, ${availableParallelism()} cores.\n`,
);
const figure = (ms) => (Number.isNaN(ms) ? '–' : ms.toFixed(2));
printTable(
  [
    'answer',
    `CPU, ${SITES_COUNT.toLocaleString('en-US')} alive`,
    `CPU, ${LIVE_COUNT.toLocaleString('en-US')} alive`,
    'the first one',
    'wall',
  ],
  [...many].map(([path, { firstMs, cpuMs, wallMs }]) => [
    `\`${path}\``,
    figure(few.get(path).cpuMs),
    figure(cpuMs),
    figure(firstMs),
    figure(wallMs),
  ]),
);
const slow = [...many].filter(([, { cpuMs }]) => cpuMs > LIMIT_MS).map(([path]) => path);
if (slow.length > 0) {
  console.error(`above ${LIMIT_MS} ms: ${slow.join(', ')}`);
  process.exitCode = 1;
}
