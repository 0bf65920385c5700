import { containersOf, type Manifest, ofKind, podOf } from './manifests.js';

/** Volume types that the Pod Security profile "restricted" allows. */
const ALLOWED_VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/**
 * Pod Security "restricted" without a warning, and what we ask beyond it: a read-only root, no API token, no service
 * variables, no volume in memory (it would count against the memory limit).
 */
export function restrictedCheck(manifests: readonly Manifest[]): string[] {
  return [...ofKind(manifests, 'Deployment').flatMap(podFindings), ...serviceAccountFindings(manifests)];
}

function podFindings(deployment: ReturnType<typeof ofKind<'Deployment'>>[number]): string[] {
  const { name } = deployment.metadata;
  const spec = podOf(deployment).spec!;
  const context = spec.securityContext;
  const found: string[] = [];
  const expect = (fine: boolean, what: string) => {
    if (!fine) found.push(`${name}: ${what}`);
  };
  expect(context?.runAsNonRoot === true, 'runAsNonRoot is not true');
  expect(typeof context?.runAsUser === 'number' && context.runAsUser > 0, 'runAsUser is not a number above 0');
  expect(context?.seccompProfile?.type === 'RuntimeDefault', 'seccompProfile is not RuntimeDefault');
  expect(spec.automountServiceAccountToken === false, 'the token of the ServiceAccount is mounted');
  expect(spec.enableServiceLinks === false, 'service variables are injected');
  expect(!spec.hostNetwork && !spec.hostPID && !spec.hostIPC, 'a namespace of the host is used');
  for (const volume of spec.volumes ?? []) {
    const [type] = Object.keys(volume).filter((key) => key !== 'name');
    expect(ALLOWED_VOLUMES.includes(type ?? ''), `volume ${volume.name} is of type ${type}`);
    expect(type !== 'emptyDir' || volume.emptyDir?.sizeLimit !== undefined, `volume ${volume.name} has no sizeLimit`);
    expect(volume.emptyDir?.medium !== 'Memory', `volume ${volume.name} is in memory`);
  }
  for (const container of containersOf(deployment)) {
    const own = container.securityContext;
    const where = `container ${container.name}`;
    expect(own?.allowPrivilegeEscalation === false, `${where}: allowPrivilegeEscalation is not false`);
    expect(own?.privileged !== true, `${where}: privileged`);
    expect(own?.readOnlyRootFilesystem === true, `${where}: the root file system is writable`);
    expect(own?.runAsNonRoot !== false && own?.runAsUser !== 0, `${where}: may run as root`);
    expect(JSON.stringify(own?.capabilities?.drop) === '["ALL"]', `${where}: capabilities are not all dropped`);
    expect((own?.capabilities?.add ?? []).length === 0, `${where}: adds capabilities`);
    expect(
      (container.ports ?? []).every(({ hostPort }) => hostPort === undefined),
      `${where}: uses a port of the host`,
    );
  }
  return found;
}

function serviceAccountFindings(manifests: readonly Manifest[]): string[] {
  return ofKind(manifests, 'ServiceAccount')
    .filter((account) => account.automountServiceAccountToken !== false)
    .map(({ metadata }) => `ServiceAccount ${metadata.name}: mounts its token`);
}
