import { theLedger } from '../the-ledger.js';
import { HeapSampler } from './heap-sampler.js';
import type { HeapSampling } from './heap-sampling.js';

const PLACE = Symbol.for('mu-commander.heap-sampler');
const place = globalThis as unknown as Record<symbol, HeapSampler | undefined>;

if (!place[PLACE]) Object.defineProperty(globalThis, PLACE, { value: new HeapSampler(theLedger) });

/** V8 has one sampler, so this process has one, however often the package is loaded. */
const theHeapSampler = place[PLACE] as HeapSampler;

/** The sampler, held under a name. Two who use one name hold it together. */
export function heapSampling(holder: string): HeapSampling {
  return {
    get isRunning() {
      return theHeapSampler.isRunning;
    },
    start: ({ intervalBytes } = {}) => theHeapSampler.hold(holder, intervalBytes),
    stop: () => theHeapSampler.release(holder),
    lookCloser: (look = {}) => theHeapSampler.lookCloser(holder, look),
    read: () => theHeapSampler.read(),
    sites: () => theHeapSampler.sites(),
    stacks: () => theHeapSampler.stacks(),
    status: () => theHeapSampler.status(),
  };
}
