import { isLoopback, settings } from '../../../src/config/settings.js';
import { commanderContainer, type Manifest, ofKind } from './manifests.js';
import { podSettings } from './pod-settings.js';

/** Whether a variable holds, or may hold, something secret: those come from a Secret and never from a ConfigMap. */
export function isSecret(variable: string): boolean {
  return /_(TOKEN|PASSWORD)$/.test(variable) || variable === 'REDIS_URL';
}

/** Every setting of the service is given to the pod, no variable is given that it does not read, and it would start with them. */
export function settingsCheck(manifests: readonly Manifest[]): string[] {
  const known = Object.values(settings).map(({ env }): string => env);
  const container = commanderContainer(manifests);
  const mapName = (container.envFrom ?? []).find(({ configMapRef }) => configMapRef !== undefined)?.configMapRef?.name;
  const map = ofKind(manifests, 'ConfigMap').find(({ metadata }) => metadata.name === mapName)?.data ?? {};
  const fromSecret = (container.env ?? [])
    .filter(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined)
    .map(({ name }) => name);
  const found = [
    ...known.filter((name) => !isSecret(name) && !(name in map)).map((name) => `ConfigMap: ${name} is missing`),
    ...Object.keys(map)
      .filter((name) => !known.includes(name))
      .map((name) => `ConfigMap: the service does not read ${name}`),
    ...Object.keys(map)
      .filter(isSecret)
      .map((name) => `ConfigMap: ${name} belongs into a Secret`),
    ...known
      .filter((name) => isSecret(name) && !fromSecret.includes(name))
      .map((name) => `Secret: ${name} is not given to the pod`),
    ...fromSecret.filter((name) => !known.includes(name)).map((name) => `Secret: the service does not read ${name}`),
  ];
  return [...found, ...reachable(manifests)];
}

function reachable(manifests: readonly Manifest[]): string[] {
  try {
    const { tcpHost, httpHost, tcpPort, httpPort } = podSettings(manifests);
    const ports = (commanderContainer(manifests).ports ?? []).map(({ containerPort }) => containerPort);
    return [
      ...(isLoopback(tcpHost) ? ['TCP_HOST: nothing outside the pod reaches loopback'] : []),
      ...(isLoopback(httpHost) ? ['HTTP_HOST: the kubelet does not reach loopback'] : []),
      ...(ports.includes(tcpPort) ? [] : [`TCP_PORT ${tcpPort} is not a port of the container`]),
      ...(ports.includes(httpPort) ? [] : [`HTTP_PORT ${httpPort} is not a port of the container`]),
    ];
  } catch (error) {
    return [`commander would not start: ${(error as Error).message}`];
  }
}
