import { commanderContainer, type Manifest } from './manifests.js';
import { flaggedBudget } from './memory-budget.js';
import { podEnvironment, podSettings } from './pod-settings.js';
import { quantity } from './quantity.js';

/** V8's heap and everything beside it fit the memory limit of commander's container together. */
export function memoryCheck(manifests: readonly Manifest[]): string[] {
  const limit = commanderContainer(manifests).resources?.limits?.memory;
  if (limit === undefined) return ['no memory limit'];
  try {
    const { sumBytes } = flaggedBudget(podEnvironment(manifests).NODE_OPTIONS ?? '', podSettings(manifests));
    return sumBytes <= quantity(limit) ? [] : [`${sumBytes / 2 ** 20} MiB at worst, limit ${limit}`];
  } catch (error) {
    return [(error as Error).message];
  }
}
