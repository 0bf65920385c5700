import { execFileSync } from 'node:child_process';
import type { IContainer, IConfigMap, IPodTemplateSpec, ISecret, IService } from 'kubernetes-models/v1';
import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { parseAllDocuments } from 'yaml';

/** Any object of a rendered kustomization. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  [field: string]: unknown;
}

interface Kinds {
  ConfigMap: IConfigMap;
  Deployment: IDeployment;
  NetworkPolicy: INetworkPolicy;
  PodDisruptionBudget: IPodDisruptionBudget;
  Secret: ISecret;
  Service: IService;
  ServiceAccount: { automountServiceAccountToken?: boolean };
}

/** One look at rendered manifests: what is wrong, a line for each; nothing wrong = []. */
export type Check = (manifests: readonly Manifest[]) => string[];

/** Whether `kubectl` is there; it renders without a cluster. */
export function hasKubectl(): boolean {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/**
 * Renders a kustomization directory offline.
 * @throws Error with kubectl's own words when it cannot be rendered.
 */
export function renderKustomization(directory: string): Manifest[] {
  const text = execFileSync('kubectl', ['kustomize', directory], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return parseManifests(text);
}

/** Reads a stream of YAML documents. */
export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

/** All objects of one kind. */
export function ofKind<Kind extends keyof Kinds>(
  manifests: readonly Manifest[],
  kind: Kind,
): (Manifest & Kinds[Kind])[] {
  return manifests.filter((manifest) => manifest.kind === kind) as (Manifest & Kinds[Kind])[];
}

/**
 * The Deployment of commander itself.
 * @throws Error when there is none.
 */
export function commanderDeployment(manifests: readonly Manifest[]): Manifest & IDeployment {
  const found = ofKind(manifests, 'Deployment').find(
    ({ metadata }) => metadata.labels?.['app.kubernetes.io/name'] === 'mu-commander',
  );
  if (found === undefined) throw new Error('no Deployment labelled app.kubernetes.io/name: mu-commander');
  return found;
}

/** Pod template of a Deployment. */
export function podOf(deployment: IDeployment): IPodTemplateSpec {
  return deployment.spec!.template;
}

/** Containers of a Deployment, init containers included. */
export function containersOf(deployment: IDeployment): IContainer[] {
  const spec = podOf(deployment).spec;
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}

/**
 * The container that runs commander.
 * @throws Error when there is none.
 */
export function commanderContainer(manifests: readonly Manifest[]): IContainer {
  const found = containersOf(commanderDeployment(manifests)).find(({ name }) => name === 'commander');
  if (found === undefined) throw new Error('no container named commander');
  return found;
}
