import { containersOf, type Manifest, ofKind, podOf } from './manifests.js';

/** What pods refer to by name is among the manifests, in the same namespace. For overlays that are complete in themselves. */
export function referencesCheck(manifests: readonly Manifest[]): string[] {
  const names = new Set(manifests.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`));
  return ofKind(manifests, 'Deployment').flatMap((deployment) => {
    const spec = podOf(deployment).spec!;
    const wanted: [string, string | undefined][] = [['ServiceAccount', spec.serviceAccountName]];
    for (const { secret, configMap } of spec.volumes ?? []) {
      wanted.push(['Secret', secret?.secretName], ['ConfigMap', configMap?.name]);
    }
    for (const { envFrom = [], env = [] } of containersOf(deployment)) {
      for (const { configMapRef, secretRef } of envFrom)
        wanted.push(['ConfigMap', configMapRef?.name], ['Secret', secretRef?.name]);
      for (const { valueFrom } of env) {
        wanted.push(['ConfigMap', valueFrom?.configMapKeyRef?.name], ['Secret', valueFrom?.secretKeyRef?.name]);
      }
    }
    return [
      ...new Set(
        wanted
          .filter(([, name]) => name !== undefined)
          .map(([kind, name]) => `${kind} ${deployment.metadata.namespace ?? ''}/${name}`),
      ),
    ]
      .filter((reference) => !names.has(reference))
      .map((reference) => `${deployment.metadata.name}: ${reference} does not exist`);
  });
}
