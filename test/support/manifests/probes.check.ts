import type { IContainer, IProbe } from 'kubernetes-models/v1';
import { commanderContainer, containersOf, type Manifest, ofKind } from './manifests.js';

const PATHS = { startupProbe: '/livez', livenessProbe: '/livez', readinessProbe: '/readyz' } as const;

/** Commander has the three probes, over HTTP, on the paths made for them; nothing probes the command port. */
export function probesCheck(manifests: readonly Manifest[]): string[] {
  const container = commanderContainer(manifests);
  const found: string[] = [];
  for (const [kind, path] of Object.entries(PATHS) as [keyof typeof PATHS, string][]) {
    const probe = container[kind];
    if (probe?.httpGet?.path !== path)
      found.push(`${kind}: expected httpGet ${path}, is ${JSON.stringify(probe?.httpGet ?? null)}`);
    if ((probe?.timeoutSeconds ?? 1) > (probe?.periodSeconds ?? 10))
      found.push(`${kind}: a probe may outlast its period`);
  }
  for (const deployment of ofKind(manifests, 'Deployment')) {
    for (const { name, ...probes } of containersOf(deployment)) {
      for (const [kind, probe] of probesOf(probes)) {
        // Each one would be a connection that counts against the cap and proves nothing.
        if (probe.tcpSocket !== undefined) found.push(`${deployment.metadata.name}/${name} ${kind}: tcpSocket probe`);
      }
    }
  }
  return found;
}

function probesOf(container: Omit<IContainer, 'name'>): [string, IProbe][] {
  const { startupProbe, livenessProbe, readinessProbe } = container;
  return Object.entries({ startupProbe, livenessProbe, readinessProbe }).filter(
    (entry): entry is [string, IProbe] => entry[1] !== undefined,
  );
}
