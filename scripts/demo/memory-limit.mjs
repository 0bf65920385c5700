import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { memoryController } from '../lib/memory-controller.cjs';

/**
 * Puts a process under a memory limit of its own, where we are root and the machine has the controller.
 * @returns whether it is limited now
 */
export function memoryLimited(stage, pid, limitMb) {
  const controller = memoryController();
  if (controller === undefined) return false;
  const group = join(controller.mount, `commander-demo-${process.pid}`);
  try {
    controller.allowBelow(controller.mount);
    mkdirSync(group);
  } catch {
    return false;
  }
  try {
    controller.limit(group, limitMb * 1_048_576);
    writeFileSync(join(group, 'cgroup.procs'), String(pid));
  } catch {
    rmdirSync(group);
    return false;
  }
  stage.afterTheEnd(() => rmdirSync(group));
  return true;
}
