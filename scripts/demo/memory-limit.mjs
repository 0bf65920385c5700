import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const V1 = '/sys/fs/cgroup/memory';
const V2 = '/sys/fs/cgroup';

/**
 * Puts a process under a memory limit of its own, where we are root and the machine has the controller.
 * @returns whether it is limited now
 */
export function memoryLimited(stage, pid, limitMb) {
  const bytes = String(limitMb * 1_048_576);
  const attempts = [
    [
      V1,
      [
        ['memory.limit_in_bytes', bytes],
        ['memory.memsw.limit_in_bytes', bytes],
      ],
    ],
    [
      V2,
      [
        ['memory.max', bytes],
        ['memory.swap.max', '0'],
      ],
    ],
  ];
  for (const [root, [limit, swap]] of attempts) {
    const group = join(root, `commander-demo-${process.pid}`);
    try {
      mkdirSync(group);
    } catch {
      continue;
    }
    try {
      writeFileSync(join(group, limit[0]), limit[1]);
      writeFileSync(join(group, 'cgroup.procs'), String(pid));
    } catch {
      rmdirSync(group);
      continue;
    }
    try {
      writeFileSync(join(group, swap[0]), swap[1]);
    } catch {
      // A kernel that does not account swap has none to give.
    }
    stage.afterTheEnd(() => rmdirSync(group));
    return true;
  }
  return false;
}
