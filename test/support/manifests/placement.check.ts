import { commanderDeployment, type Manifest, ofKind, podOf } from './manifests.js';
import { selects } from './selectors.check.js';

type Labels = Record<string, string>;

/** For overlays that must outlive a node: several replicas, spread over nodes, never drained all at once, replaced without a gap. */
export function placementCheck(manifests: readonly Manifest[]): string[] {
  const { spec } = commanderDeployment(manifests);
  const pod = podOf(commanderDeployment(manifests));
  const labels = (pod.metadata?.labels ?? {}) as Labels;
  const found: string[] = [];
  const expect = (fine: boolean, what: string) => {
    if (!fine) found.push(what);
  };
  const replicas = spec?.replicas ?? 1;
  expect(replicas >= 2, `${replicas} replica, expected 2 or more`);
  const overNodes = (pod.spec?.topologySpreadConstraints ?? []).find(
    ({ topologyKey, whenUnsatisfiable }) =>
      topologyKey === 'kubernetes.io/hostname' && whenUnsatisfiable === 'DoNotSchedule',
  );
  expect(overNodes !== undefined, 'all replicas may run on one node');
  expect(
    overNodes === undefined || selects(overNodes.labelSelector?.matchLabels as Labels | undefined, labels),
    'what is spread over nodes are other pods',
  );
  const budget = ofKind(manifests, 'PodDisruptionBudget').find((candidate) =>
    selects(candidate.spec?.selector?.matchLabels as Labels | undefined, labels),
  );
  const evictable = Number(budget?.spec?.maxUnavailable ?? replicas);
  expect(evictable < replicas, 'all replicas may be evicted at once');
  expect(evictable > 0, 'no node that runs a replica can ever be drained');
  expect(Number(spec?.strategy?.rollingUpdate?.maxUnavailable ?? 1) === 0, 'an update takes replicas away first');
  return found;
}
