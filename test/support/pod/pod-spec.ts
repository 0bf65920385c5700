import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IProbe } from 'kubernetes-models/v1';
import { environmentOf, execForm, readDockerfile, stagesOf } from '../docker/dockerfile.js';
import { commanderContainer, commanderDeployment, type Manifest, podOf } from '../manifests/manifests.js';
import { podEnvironment } from '../manifests/pod-settings.js';
import { quantity } from '../manifests/quantity.js';

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

/** A volume of the pod and where the container sees it. */
export interface VolumeSpec {
  name: string;
  mountPath: string;
  /** The Secret whose keys are its files, read-only; absent for an emptyDir. */
  secretName?: string;
}

/** Everything that a kubelet takes from a Deployment to run commander's pod; nothing of it is written down in a test. */
export interface PodSpec {
  name: string;
  /** Command and arguments; the image's where the manifest names none. */
  command: readonly string[];
  /** The image's environment, and the manifest's over it. */
  env: Readonly<Record<string, string>>;
  memoryLimitBytes: number;
  uid: number;
  gid: number;
  /** Group that owns the volumes. */
  fsGroup: number | undefined;
  hasReadOnlyRoot: boolean;
  dropsCapabilities: boolean;
  hasNoNewPrivileges: boolean;
  volumes: readonly VolumeSpec[];
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
  const limit = container.resources?.limits?.memory;
  if (limit === undefined) throw new Error('the container has no memory limit');
  const ports = new Map((container.ports ?? []).map(({ name, containerPort }) => [name, containerPort]));
  const own = container.securityContext;
  const probe = (from: IProbe | undefined) => (from === undefined ? undefined : probeSpec(from, ports));
  const rolling = deployment.spec?.strategy?.rollingUpdate;
  return {
    name: deployment.metadata.name,
    command: [...(container.command ?? imageCommand), ...(container.args ?? [])],
    env: { ...environmentOf(image), ...podEnvironment(manifests) },
    memoryLimitBytes: quantity(limit),
    uid: own?.runAsUser ?? pod.securityContext?.runAsUser ?? 0,
    gid: own?.runAsGroup ?? pod.securityContext?.runAsGroup ?? 0,
    fsGroup: pod.securityContext?.fsGroup,
    hasReadOnlyRoot: own?.readOnlyRootFilesystem === true,
    dropsCapabilities: own?.capabilities?.drop?.includes('ALL') === true,
    hasNoNewPrivileges: own?.allowPrivilegeEscalation === false,
    volumes: (container.volumeMounts ?? []).map(({ name, mountPath }) => {
      const { emptyDir, secret } = pod.volumes?.find((volume) => volume.name === name) ?? {};
      if (emptyDir !== undefined) return { name, mountPath };
      if (secret?.secretName !== undefined) return { name, mountPath, secretName: secret.secretName };
      throw new Error(`volume ${name} is neither an emptyDir nor a secret`);
    }),
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
