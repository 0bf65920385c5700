import { commanderContainer, type Manifest } from './manifests.js';
import { flaggedBudget } from './memory-budget.js';
import { podEnvironment, podSettings } from './pod-settings.js';
import { quantity } from './quantity.js';

const MiB = 2 ** 20;

/** What the service itself holds in the old space, beside the requests under way. Measured after a collection; k8s/README.md. */
export const OWN_HEAP_BYTES = 35 * MiB;

/** V8's heap and everything beside it fit the memory limit of commander's container together, and its requests fit the heap. */
export function memoryCheck(manifests: readonly Manifest[]): string[] {
  const limit = commanderContainer(manifests).resources?.limits?.memory;
  if (limit === undefined) return ['no memory limit'];
  try {
    const values = podSettings(manifests);
    const { sumBytes, oldSpaceBytes } = flaggedBudget(podEnvironment(manifests).NODE_OPTIONS ?? '', values);
    const inOldSpaceBytes = values.maxInFlightBytes + OWN_HEAP_BYTES;
    return [
      ...(sumBytes <= quantity(limit) ? [] : [`${sumBytes / MiB} MiB at worst, limit ${limit}`]),
      ...(inOldSpaceBytes <= oldSpaceBytes
        ? []
        : [`old space ${oldSpaceBytes / MiB} MiB, requests under way and the service need ${inOldSpaceBytes / MiB}`]),
    ];
  } catch (error) {
    return [(error as Error).message];
  }
}
