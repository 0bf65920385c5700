import { commanderContainer, type Manifest } from './manifests.js';
import { flaggedBudget } from './memory-budget.js';
import { podEnvironment, podSettings } from './pod-settings.js';
import { quantity } from './quantity.js';

const MiB = 2 ** 20;

/** What the service itself holds in the old space, beside the requests under way. Measured by `pod-memory.spec.ts`; k8s/README.md. */
export const OWN_HEAP_BYTES = 50 * MiB;

/**
 * What node needs beside its heap whatever it does: native memory, and the pages of its binary that run. The kernel may drop the latter, and
 * then reads them again all the time. Measured by `pod-memory.spec.ts` on the Node of the image; k8s/README.md.
 */
const ALWAYS_BYTES = (22 + 44) * MiB;

/** V8's heap and everything beside it fit the memory limit of commander's container together, and its requests fit the heap. */
export function memoryCheck(manifests: readonly Manifest[]): string[] {
  const limit = commanderContainer(manifests).resources?.limits?.memory;
  if (limit === undefined) return ['no memory limit'];
  try {
    const values = podSettings(manifests);
    const { sumBytes, oldSpaceBytes, youngBytes } = flaggedBudget(podEnvironment(manifests).NODE_OPTIONS ?? '', values);
    const usualBytes = oldSpaceBytes + youngBytes + ALWAYS_BYTES;
    const inOldSpaceBytes = values.maxInFlightBytes + OWN_HEAP_BYTES;
    return [
      ...(sumBytes <= quantity(limit) ? [] : [`${sumBytes / MiB} MiB at worst, limit ${limit}`]),
      ...(usualBytes <= quantity(limit) ? [] : [`${usualBytes / MiB} MiB in use all the time, limit ${limit}`]),
      ...(inOldSpaceBytes <= oldSpaceBytes
        ? []
        : [`old space ${oldSpaceBytes / MiB} MiB, requests under way and the service need ${inOldSpaceBytes / MiB}`]),
    ];
  } catch (error) {
    return [(error as Error).message];
  }
}
