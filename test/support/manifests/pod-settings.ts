import { readSettings, type Settings } from '../../../src/config/settings.js';
import { commanderContainer, type Manifest, ofKind } from './manifests.js';

/**
 * The environment that the kubelet gives commander's container. A key of a Secret that is not among the manifests (its
 * owner makes it by hand) reads as a placeholder that is valid for it.
 */
export function podEnvironment(manifests: readonly Manifest[]): Record<string, string> {
  const container = commanderContainer(manifests);
  const configMaps = new Map(
    ofKind(manifests, 'ConfigMap').map((configMap) => [configMap.metadata.name, configMap.data ?? {}]),
  );
  const secrets = new Map(ofKind(manifests, 'Secret').map((secret) => [secret.metadata.name, secret.data ?? {}]));
  const environment: Record<string, string> = {};
  for (const { configMapRef } of container.envFrom ?? []) {
    Object.assign(environment, configMaps.get(configMapRef?.name ?? ''));
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const reference = valueFrom?.secretKeyRef;
    if (value !== undefined) environment[name] = value;
    else if (reference !== undefined) {
      const encoded = secrets.get(reference.name ?? '')?.[reference.key];
      environment[name] = encoded === undefined ? placeholder(name) : Buffer.from(encoded, 'base64').toString();
    }
  }
  return environment;
}

/**
 * The settings that commander reads in that pod.
 * @throws SettingsError when it would refuse to start.
 */
export function podSettings(manifests: readonly Manifest[]): Settings {
  return readSettings(podEnvironment(manifests));
}

function placeholder(name: string): string {
  return name === 'REDIS_URL' ? 'rediss://:secret@redis.example:6380' : 'placeholder';
}
