import type { IContainer, IPodSpec } from 'kubernetes-models/v1';
import { quantity } from '../manifests/quantity.js';

/** A volume of the pod and where the container sees it. */
export interface VolumeSpec {
  name: string;
  mountPath: string;
  /** The Secret whose keys are its files, read-only; absent for an emptyDir. */
  secretName?: string;
}

/** What a container engine takes from a manifest. */
export interface ContainerSpec {
  /** Command and arguments; the image's where the manifest names none. */
  command: readonly string[];
  memoryLimitBytes: number;
  uid: number;
  gid: number;
  /** Group that owns the volumes. */
  fsGroup: number | undefined;
  hasReadOnlyRoot: boolean;
  dropsCapabilities: boolean;
  hasNoNewPrivileges: boolean;
  volumes: readonly VolumeSpec[];
}

/**
 * Reads one container of a pod. What Kubernetes would fill in is filled in.
 * @throws Error on what the harness cannot run: no memory limit, other volumes than emptyDir and secret
 */
export function containerSpec(pod: IPodSpec, container: IContainer, imageCommand: readonly string[]): ContainerSpec {
  const limit = container.resources?.limits?.memory;
  if (limit === undefined) throw new Error('the container has no memory limit');
  const own = container.securityContext;
  return {
    command: [...(container.command ?? imageCommand), ...(container.args ?? [])],
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
  };
}
