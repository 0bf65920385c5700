import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import type { Manifest } from './manifests.js';

const MODELS: Record<string, { prototype: { validate(): void } }> = {
  'apps/v1/Deployment': Deployment,
  'monitoring.coreos.com/v1/PodMonitor': PodMonitor,
  'monitoring.coreos.com/v1/PrometheusRule': PrometheusRule,
  'networking.k8s.io/v1/NetworkPolicy': NetworkPolicy,
  'policy/v1/PodDisruptionBudget': PodDisruptionBudget,
  'v1/ConfigMap': ConfigMap,
  'v1/Namespace': Namespace,
  'v1/Secret': Secret,
  'v1/Service': Service,
  'v1/ServiceAccount': ServiceAccount,
};

/** Types, quantities, required fields, and fields that the Kubernetes API does not know (the API server would drop them). */
export function schemaCheck(manifests: readonly Manifest[]): string[] {
  return manifests.flatMap((manifest) => {
    const name = `${manifest.apiVersion}/${manifest.kind}`;
    const model = MODELS[name];
    if (model === undefined) return [`${name}: no model to check it against`];
    const fields = new ReadFields(manifest);
    try {
      model.prototype.validate.call(fields.watched);
    } catch (error) {
      return [`${name} ${manifest.metadata.name}: ${(error as Error).message}`];
    }
    return fields.unread().map((path) => `${name} ${manifest.metadata.name}: unknown field ${path}`);
  });
}

interface Seen {
  readonly keys: Set<PropertyKey>;
  enumerated: boolean;
}

/**
 * The models say nothing about unknown fields. But a validator reads every field that it knows, and enumerates free maps
 * such as labels: what was neither read nor enumerated is unknown.
 */
class ReadFields {
  readonly watched: object;
  private readonly seen = new Map<object, Seen>();

  constructor(private readonly root: object) {
    this.watched = this.watch(root);
  }

  unread(): string[] {
    return this.unreadIn(this.root, '');
  }

  private watch(target: object): object {
    const seen: Seen = { keys: new Set(), enumerated: false };
    const children = new Map<PropertyKey, object>();
    this.seen.set(target, seen);
    return new Proxy(target, {
      get: (object, key) => {
        seen.keys.add(key);
        const value: unknown = Reflect.get(object, key);
        if (typeof value !== 'object' || value === null) return value;
        if (!children.has(key)) children.set(key, this.watch(value));
        return children.get(key);
      },
      ownKeys: (object) => {
        seen.enumerated = true;
        return Reflect.ownKeys(object);
      },
    });
  }

  private unreadIn(target: object, path: string): string[] {
    const seen = this.seen.get(target);
    // An object that was read as a whole and not looked into is a free-form one.
    if (seen === undefined) return [];
    return Object.entries(target).flatMap(([key, value]) => {
      const here = `${path}/${key}`;
      if (!seen.enumerated && !seen.keys.has(key)) return [here];
      return typeof value === 'object' && value !== null ? this.unreadIn(value, here) : [];
    });
  }
}
