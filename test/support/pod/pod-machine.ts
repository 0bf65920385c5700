import { execFileSync } from 'node:child_process';
import { hasKubectl } from '../manifests/manifests.js';
import { MemoryCgroup } from './memory-cgroup.js';

/** Why this machine cannot run pods (no root, no memory cgroup, no namespaces, no kubectl), or undefined when it can. */
export function whyNoPods(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root, so no namespaces and no cgroups can be made';
  if (!hasKubectl()) return 'no kubectl, so the Deployment that the pods are made of cannot be rendered';
  try {
    const cgroup = MemoryCgroup.create('probe', 64 * 2 ** 20);
    void cgroup.remove().catch(() => undefined);
  } catch (error) {
    return `no memory cgroup: ${(error as Error).message}`;
  }
  try {
    const namespaces = ['--mount', '--pid', '--ipc', '--uts', '--cgroup', '--fork'];
    execFileSync(
      'unshare',
      [...namespaces, 'sh', '-c', 'mount --make-rprivate / && command -v setpriv nsenter chroot'],
      {
        stdio: 'pipe',
      },
    );
  } catch (error) {
    return `no namespaces: ${(error as Error).message}`;
  }
  return undefined;
}

/** `describe` where pods can run; elsewhere it says why not, aloud, and skips. */
export function describeWithPods(title: string, suite: () => void): void {
  const reason = whyNoPods();
  if (reason === undefined) return describe(title, suite);
  console.warn(`SKIPPED: ${title}: ${reason}.`);
  describe.skip(title, suite);
}
