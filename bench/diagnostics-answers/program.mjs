// The process that is asked: so many live resources made at so many lines, and the diagnostics served.
import { Script } from 'node:vm';
import { built, require } from '../support/build.mjs';
import { serveParent } from '../support/child.mjs';

const [, , liveText, sitesText] = process.argv;
const LIVE_COUNT = Number(liveText);
const SITES_COUNT = Number(sitesText);

const { startLedger, trackResource } = built('ledger/index.js');
// Every line gets its stack, however fast they are made.
startLedger({ captureBurst: 2 * SITES_COUNT });
const { serveDiagnostics } = built('diagnostics/standalone.js');

const resources = Array.from({ length: LIVE_COUNT }, () => ({}));
globalThis.track = (index) => trackResource(`kind-${index % 8}`, resources[index]);
const lines = Array.from({ length: SITES_COUNT }, (_, line) => `() => track(${line}),`);
for (const make of new Script(`[\n${lines.join('\n')}\n]`, { filename: '/generated/lines.js' }).runInThisContext())
  make();
for (let index = SITES_COUNT; index < LIVE_COUNT; index++) globalThis.track(index);

// What the making of a million leaves behind is collected, as in any process that has had them for a while: else a full collection
// of it, 40 ms of other threads, falls into some first answers.
globalThis.gc();
const { port } = await serveDiagnostics({ port: 0 });
const cpuMicros = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

serveParent(
  { port },
  {
    cpu: () => ({ micros: cpuMicros() }),
    /** What prom-client's own collectors cost for a scrape. */
    async peer({ count }) {
      const { Registry, collectDefaultMetrics } = require('prom-client');
      const registry = new Registry();
      collectDefaultMetrics({ register: registry });
      await registry.metrics();
      const before = cpuMicros();
      for (let index = 0; index < count; index++) await registry.metrics();
      return { microsEach: (cpuMicros() - before) / count };
    },
  },
);
