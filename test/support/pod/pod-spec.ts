import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IProbe } from 'kubernetes-models/v1';
import { environmentOf, execForm, readDockerfile, stagesOf } from '../docker/dockerfile.js';
import { commanderContainer, commanderDeployment, type Manifest, podOf } from '../manifests/manifests.js';
import { podEnvironment } from '../manifests/pod-settings.js';
import { type ContainerSpec, containerSpec } from './container-spec.js';

/** An HTTP probe as a kubelet runs it. */
export interface ProbeSpec {
  path: string;
  port: number;
  initialDelayMs: number;
  periodMs: number;
  timeoutMs: number;
  failureThreshold: number;
  successThreshold: number;
}

/** Everything that a kubelet takes from a Deployment to run commander's pod; nothing of it is written down in a test. */
export interface PodSpec extends ContainerSpec {
  name: string;
  /** The image's environment, and the manifest's over it. */
  env: Readonly<Record<string, string>>;
  commandPort: number;
  httpPort: number;
  startupProbe: ProbeSpec | undefined;
  livenessProbe: ProbeSpec | undefined;
  readinessProbe: ProbeSpec | undefined;
  preStop: readonly string[] | undefined;
  graceMs: number;
  replicas: number;
  minReadyMs: number;
  maxSurge: number;
  maxUnavailable: number;
}

/**
 * Reads the pod of commander from rendered manifests. What Kubernetes would fill in is filled in.
 * @throws Error on what the harness cannot run: other probes than httpGet, other volumes than emptyDir and secret
 */
export function podSpec(manifests: readonly Manifest[]): PodSpec {
  const deployment = commanderDeployment(manifests);
  const pod = podOf(deployment).spec!;
  const container = commanderContainer(manifests);
  const image = stagesOf(readDockerfile(readFileSync(join(__dirname, '../../../Dockerfile'), 'utf8'))).at(-1)!;
  const imageCommand = execForm(image.findLast(({ name }) => name === 'CMD')!.value)!;
  const ports = new Map((container.ports ?? []).map(({ name, containerPort }) => [name, containerPort]));
  const probe = (from: IProbe | undefined) => (from === undefined ? undefined : probeSpec(from, ports));
  const rolling = deployment.spec?.strategy?.rollingUpdate;
  return {
    ...containerSpec(pod, container, imageCommand),
    name: deployment.metadata.name,
    env: { ...environmentOf(image), ...podEnvironment(manifests) },
    commandPort: ports.get('commands')!,
    httpPort: ports.get('http')!,
    startupProbe: probe(container.startupProbe),
    livenessProbe: probe(container.livenessProbe),
    readinessProbe: probe(container.readinessProbe),
    preStop: container.lifecycle?.preStop?.exec?.command,
    graceMs: (pod.terminationGracePeriodSeconds ?? 30) * 1_000,
    replicas: deployment.spec?.replicas ?? 1,
    minReadyMs: (deployment.spec?.minReadySeconds ?? 0) * 1_000,
    maxSurge: Number(rolling?.maxSurge ?? 1),
    maxUnavailable: Number(rolling?.maxUnavailable ?? 0),
  };
}

function probeSpec(probe: IProbe, ports: ReadonlyMap<string | undefined, number>): ProbeSpec {
  if (probe.httpGet?.path === undefined) throw new Error('only httpGet probes can be run');
  const { port, path } = probe.httpGet;
  return {
    path,
    port: typeof port === 'number' ? port : ports.get(String(port))!,
    initialDelayMs: (probe.initialDelaySeconds ?? 0) * 1_000,
    periodMs: (probe.periodSeconds ?? 10) * 1_000,
    timeoutMs: (probe.timeoutSeconds ?? 1) * 1_000,
    failureThreshold: probe.failureThreshold ?? 3,
    successThreshold: probe.successThreshold ?? 1,
  };
}
