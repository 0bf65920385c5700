import { setImmediate } from 'node:timers/promises';
import { forceGc } from './force-gc';

const gc = forceGc();
const STEP_BYTES = 65_536;

/**
 * What `read` tells once no garbage of what ran before is in it any more, some of which goes only after its finalizers. Two
 * collections each time: the first begins to free the memory of dead buffers on another thread, the second waits for that.
 */
export async function settledBytes(read: () => number): Promise<number> {
  for (let before = Number.POSITIVE_INFINITY; ;) {
    await setImmediate();
    gc();
    gc();
    const now = read();
    if (before - now < STEP_BYTES) return now;
    before = now;
  }
}
