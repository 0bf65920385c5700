import { containersOf, type Manifest, ofKind } from './manifests.js';
import { quantity } from './quantity.js';

/** Every container states the memory it needs and may use, and no request is above its limit. */
export function resourcesCheck(manifests: readonly Manifest[]): string[] {
  return ofKind(manifests, 'Deployment').flatMap((deployment) =>
    containersOf(deployment).flatMap((container) => {
      const name = `${deployment.metadata.name}/${container.name}`;
      const requests = (container.resources?.requests ?? {}) as Record<string, string | number>;
      const limits = (container.resources?.limits ?? {}) as Record<string, string | number>;
      return [
        ...(requests.cpu === undefined ? [`${name}: no cpu request`] : []),
        ...(requests.memory === undefined ? [`${name}: no memory request`] : []),
        ...(limits.memory === undefined ? [`${name}: no memory limit`] : []),
        ...Object.entries(requests)
          .filter(
            ([resource, request]) => limits[resource] !== undefined && quantity(request) > quantity(limits[resource]),
          )
          .map(([resource, request]) => `${name}: requests ${resource} ${request}, limit ${limits[resource]}`),
      ];
    }),
  );
}
