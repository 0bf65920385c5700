import { setTimeout as sleep } from 'node:timers/promises';
import { Pod, type PodOptions } from './pod.js';
import type { PodService } from './pod-service.js';
import type { PodSpec } from './pod-spec.js';

/** What a Deployment's controller does with its pods: starts the replicas, and replaces them by the strategy of the manifest. */
export class Deployment {
  readonly pods: Pod[] = [];
  /** Those of earlier revisions, in the order in which they went. */
  readonly replaced: Pod[] = [];
  /** Fewest pods that were ready at once during the last rolling update. */
  fewestReady = Infinity;

  constructor(
    private readonly spec: PodSpec,
    private readonly options: PodOptions,
    private readonly service?: PodService,
  ) {}

  /** Starts the replicas of the manifest; resolves when all are ready. */
  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.spec.replicas }, () => this.addPod()));
  }

  /**
   * Replaces every pod: `maxSurge` new ones ahead, never fewer than replicas − `maxUnavailable` ready, a new one counted
   * after `minReadySeconds`. Resolves when the last old pod has gone.
   */
  async rollingUpdate(): Promise<void> {
    const { maxSurge, maxUnavailable, minReadyMs } = this.spec;
    if (maxSurge < 1 || maxUnavailable !== 0) throw new Error('expected maxSurge ≥ 1 and maxUnavailable 0');
    const old = [...this.pods];
    const leaving: Promise<unknown>[] = [];
    this.fewestReady = this.readyCount();
    while (old.length > 0) {
      const surge = Math.min(maxSurge, old.length);
      await Promise.all(Array.from({ length: surge }, () => this.addPod()));
      await sleep(minReadyMs);
      for (const pod of old.splice(0, surge)) {
        // The controller goes on while a pod is terminating.
        leaving.push(pod.delete());
        this.pods.splice(this.pods.indexOf(pod), 1);
        this.replaced.push(pod);
      }
      this.fewestReady = Math.min(this.fewestReady, this.readyCount());
    }
    await Promise.all(leaving);
    for (const pod of this.replaced) this.service?.remove(pod);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.pods, ...this.replaced].map((pod) => pod.delete()));
  }

  private async addPod(): Promise<Pod> {
    const pod = Pod.create(this.spec, this.options);
    this.pods.push(pod);
    this.service?.add(pod);
    await pod.ready();
    return pod;
  }

  private readyCount(): number {
    return this.pods.filter((pod) => pod.isReady).length;
  }
}
