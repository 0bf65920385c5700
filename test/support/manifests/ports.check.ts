import type { IContainer } from 'kubernetes-models/v1';
import { containersOf, type Manifest, ofKind, podOf } from './manifests.js';
import { selects } from './selectors.check.js';

type Port = string | number;

/** Ports that probes, Services and policies name are ports of the container they mean. */
export function portsCheck(manifests: readonly Manifest[]): string[] {
  const deployments = ofKind(manifests, 'Deployment');
  const found: string[] = [];
  for (const deployment of deployments) {
    for (const container of containersOf(deployment)) {
      for (const [kind, port] of probePorts(container)) {
        if (!hasPort([container], port))
          found.push(`${deployment.metadata.name}/${container.name} ${kind}: no port ${port}`);
      }
    }
  }
  const podsOf = (selector: unknown) =>
    deployments
      .filter((deployment) =>
        selects(selector as Record<string, string> | undefined, podOf(deployment).metadata?.labels ?? {}),
      )
      .flatMap(containersOf);
  for (const service of ofKind(manifests, 'Service')) {
    for (const { port, targetPort } of service.spec?.ports ?? []) {
      const target = (targetPort ?? port) as Port;
      if (!hasPort(podsOf(service.spec?.selector), target))
        found.push(`Service ${service.metadata.name}: no targetPort ${target}`);
    }
  }
  for (const policy of ofKind(manifests, 'NetworkPolicy')) {
    for (const { port } of (policy.spec?.ingress ?? []).flatMap(({ ports }) => ports ?? [])) {
      if (port !== undefined && !hasPort(podsOf(policy.spec?.podSelector.matchLabels), port as Port)) {
        found.push(`NetworkPolicy ${policy.metadata.name}: no port ${String(port)}`);
      }
    }
  }
  return found;
}

function probePorts(container: IContainer): [string, Port][] {
  const probes = {
    startupProbe: container.startupProbe,
    livenessProbe: container.livenessProbe,
    readinessProbe: container.readinessProbe,
  };
  return Object.entries(probes).flatMap(([kind, probe]): [string, Port][] => {
    const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port;
    return port === undefined ? [] : [[kind, port as Port]];
  });
}

function hasPort(containers: readonly IContainer[], wanted: Port): boolean {
  return containers.some(({ ports }) =>
    (ports ?? []).some(({ name, containerPort }) => wanted === name || wanted === containerPort),
  );
}
