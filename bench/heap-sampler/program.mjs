// The process that is measured: one workload, with the heap sampler off and on by turns.
import { built } from '../support/build.mjs';
import { serveParent } from '../support/child.mjs';
import { pairedSegments } from '../support/paired-segments.mjs';
import { workloads } from '../ledger-cost/workloads.mjs';

const READ_EVERY_MS = 1_000;

const [, , name, redisPort] = process.argv;
const sampling = built('ledger/index.js').heapSampling('bench');
const workload = await workloads[name]({ redisPort: Number(redisPort) });

/** The sampler as a leak hunt uses it: read once for every second that it runs. */
function sampler(intervalBytes) {
  let onMs = 0;
  let startedMs = 0;
  return {
    on() {
      if (!sampling.start({ intervalBytes })) throw new Error(sampling.status().unavailable);
      startedMs = performance.now();
    },
    tick() {
      onMs += performance.now() - startedMs;
      if (onMs < READ_EVERY_MS) return;
      onMs = 0;
      sampling.read();
    },
    off: () => sampling.stop(),
  };
}

serveParent(
  {},
  {
    /** @param {{intervalBytes: number, fours: number, segmentMs: number}} question */
    async paired({ intervalBytes, fours, segmentMs }) {
      const options = { segmentMs, settleMs: 50 };
      await pairedSegments(workload, sampler(intervalBytes), { ...options, fours: 3 });
      return pairedSegments(workload, sampler(intervalBytes), { ...options, fours });
    },
  },
);
