import { commanderContainer, commanderDeployment, type Manifest, podOf } from './manifests.js';
import { podSettings } from './pod-settings.js';

/** For overlays whose Redis is not in the cluster's own network: its CA is named, and lies where a Secret is mounted. */
export function redisTlsCheck(manifests: readonly Manifest[]): string[] {
  const { redisTlsCaFile, redisUrl } = podSettings(manifests);
  if (!redisUrl.startsWith('rediss://')) return ['REDIS_URL: not over TLS'];
  if (redisTlsCaFile === undefined) return ['REDIS_TLS_CA_FILE: the CA of Redis is not named'];
  const secrets = new Set(
    (podOf(commanderDeployment(manifests)).spec?.volumes ?? [])
      .filter(({ secret }) => secret !== undefined)
      .map(({ name }) => name),
  );
  const isMounted = (commanderContainer(manifests).volumeMounts ?? []).some(
    ({ name, mountPath, readOnly }) =>
      secrets.has(name) && readOnly === true && redisTlsCaFile.startsWith(`${mountPath}/`),
  );
  return isMounted ? [] : [`REDIS_TLS_CA_FILE: no Secret is mounted at ${redisTlsCaFile}`];
}
