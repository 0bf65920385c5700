import { type Manifest, ofKind, podOf } from './manifests.js';

type Labels = Record<string, string>;

/** Every selector selects: Deployments their own pods, and Services, budgets and policies the pods of a Deployment. */
export function selectorsCheck(manifests: readonly Manifest[]): string[] {
  const deployments = ofKind(manifests, 'Deployment');
  const pods = deployments.map((deployment) => (podOf(deployment).metadata?.labels ?? {}) as Labels);
  const own = deployments.flatMap((deployment, index) =>
    selects(deployment.spec?.selector.matchLabels, pods[index]!)
      ? []
      : [`Deployment ${deployment.metadata.name}: selector does not match its own pod template`],
  );
  const others: [string, unknown][] = [
    ...ofKind(manifests, 'Service').map((service): [string, unknown] => [
      `Service ${service.metadata.name}`,
      service.spec?.selector,
    ]),
    ...ofKind(manifests, 'PodDisruptionBudget').map((budget): [string, unknown] => [
      `PodDisruptionBudget ${budget.metadata.name}`,
      budget.spec?.selector?.matchLabels,
    ]),
    ...ofKind(manifests, 'NetworkPolicy').map((policy): [string, unknown] => [
      `NetworkPolicy ${policy.metadata.name}`,
      policy.spec?.podSelector.matchLabels,
    ]),
  ];
  const strays = others.flatMap(([name, selector]) => {
    const count = pods.filter((labels) => selects(selector as Labels | undefined, labels)).length;
    return count === 1 ? [] : [`${name}: selects the pods of ${count} Deployments, expected 1`];
  });
  return [...own, ...strays];
}

/** Whether a non-empty selector matches labels; an empty one would match every pod there is. */
export function selects(selector: Labels | undefined, labels: Labels): boolean {
  const wanted = Object.entries(selector ?? {});
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}
