// The process that is measured. Runs segments of one workload as its parent asks, with the heap sampler off or on.
import { built } from '../support/build.mjs';
import { serveParent } from '../support/child.mjs';
import { workloads } from '../ledger-cost/workloads.mjs';

const [, , name, redisPort] = process.argv;
const sampling = built('ledger/index.js').heapSampling('bench');
const workload = await workloads[name]({ redisPort: Number(redisPort) });

serveParent(
  {},
  {
    /** @param {{sampler: boolean, warmUpMs: number, ms: number}} question */
    async segment({ sampler, warmUpMs, ms }) {
      if (sampler && !sampling.start()) throw new Error(sampling.status().unavailable);
      await workload.run(warmUpMs);
      const before = process.cpuUsage();
      const count = await workload.run(ms);
      const { user, system } = process.cpuUsage(before);
      if (sampler) sampling.stop();
      return { microsEach: (user + system) / count };
    },
  },
);
