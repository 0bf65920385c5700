// The process that is measured. Runs segments of one workload as its parent asks, and tells CPU per operation of each.
import { createRequire } from 'node:module';
import { built } from '../support/build.mjs';
import { serveParent } from '../support/child.mjs';

const [, , name, observer, redisPort] = process.argv;
const require = createRequire(import.meta.url);

const observers = {
  none: () => {},
  ledger: () => built('ledger/index.js').startLedger(),
  'why-is-node-running': () => import('why-is-node-running'),
  wtfnode: () => require('wtfnode'),
  'async_hooks count': async () => {
    const { createHook } = await import('node:async_hooks');
    const live = new Map();
    createHook({
      init: (id, type) => live.set(id, type),
      destroy: (id) => live.delete(id),
    }).enable();
  },
};
// As each of them demands: before everything else.
await observers[observer]();
const { workloads } = await import('./workloads.mjs');
const workload = await workloads[name]({ redisPort: Number(redisPort) });

serveParent(
  {},
  {
    /** @param {{ledger: boolean, warmUpMs: number, ms: number}} question */
    async segment({ ledger, warmUpMs, ms }) {
      const { startLedger, stopLedger, ledgerSnapshot } = ledger ? built('ledger/index.js') : {};
      startLedger?.();
      await workload.run(warmUpMs);
      const before = process.cpuUsage();
      const count = await workload.run(ms);
      const { user, system } = process.cpuUsage(before);
      const costShare = ledgerSnapshot?.().ledger.costMs;
      stopLedger?.();
      return { count, cpuMicros: user + system, costShare };
    },
  },
);
