// The process that is measured: one workload, with a ledger that is switched on and off, or with an observer for good.
import { createRequire } from 'node:module';
import { built } from '../support/build.mjs';
import { serveParent } from '../support/child.mjs';
import { pairedSegments } from '../support/paired-segments.mjs';
import { SwitchedLedger } from './switched-ledger.mjs';

const [, , name, observer, redisPort, kinds] = process.argv;
const require = createRequire(import.meta.url);

let switched;
const observers = {
  none: () => {},
  switched: () => {
    switched = new SwitchedLedger(kinds === '' ? [] : kinds.split(','));
  },
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
    /** CPU per operation as it is. @param {{warmUpMs: number, ms: number}} question */
    async segment({ warmUpMs, ms }) {
      await workload.run(warmUpMs);
      const before = process.cpuUsage();
      const count = await workload.run(ms);
      const { user, system } = process.cpuUsage(before);
      return { count, cpuMicros: user + system };
    },

    /** The ledger on and off by turns. @param {{warmUpFours: number, fours: number, segmentMs: number}} question */
    async paired({ warmUpFours, fours, segmentMs }) {
      // Past the burst of stacks that a start takes.
      switched.on();
      for (let second = 0; second < 3; second++) {
        await workload.run(1_000);
        switched.tick();
      }
      switched.off();
      await pairedSegments(workload, switched, { fours: warmUpFours, segmentMs });
      const before = switched.counts;
      const factors = await pairedSegments(workload, switched, { fours, segmentMs });
      const after = switched.counts;
      if (after.failures > 0) throw new Error(`a hook failed: ${after.lastFailure}`);
      const onMs = after.onMs - before.onMs;
      return {
        ...factors,
        onMs,
        created: after.created,
        captures: after.captures - before.captures,
        captureMs: after.captureMs - before.captureMs,
        tickMs: after.tickMs - before.tickMs,
      };
    },
  },
);
