import { mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  memoryController,
  type MemoryController,
  type MemoryReading,
} from '../../../scripts/lib/memory-controller.cjs';
import { eventually } from '../eventually.js';
import { isAlive } from '../is-alive.js';

export type { MemoryReading };

const PARENT = 'commander-pods';

/** A real memory cgroup of version 1 or 2 with a limit and no swap; needs root. */
export class MemoryCgroup {
  private constructor(
    private readonly controller: MemoryController,
    readonly directory: string,
  ) {}

  /** @throws Error when this machine has no memory controller, or does not let us use it */
  static create(name: string, limitBytes: number): MemoryCgroup {
    const controller = memoryController();
    if (controller === undefined) throw new Error('no memory controller below /sys/fs/cgroup');
    const parent = join(controller.mount, PARENT);
    controller.allowBelow(controller.mount);
    mkdirSync(parent, { recursive: true });
    controller.allowBelow(parent);
    removeLeftovers(parent);
    // Our own process id: whoever comes next can tell what nobody needs any more.
    const directory = join(parent, `${process.pid}-${name}`);
    mkdirSync(directory);
    const group = new MemoryCgroup(controller, directory);
    controller.limit(directory, limitBytes);
    return group;
  }

  /** Where the container sees its own cgroup, below /sys/fs/cgroup. */
  get seenAt(): string {
    return this.controller.seenAt;
  }

  /** Reads usage, working set and peak; O(1), a few small files. */
  read(): MemoryReading {
    return this.controller.read(this.directory);
  }

  /** Processes that the kernel has killed here because the limit was reached. */
  oomKills(): number {
    return this.controller.oomKills(this.directory);
  }

  /** Removes it; its processes must have ended, and the kernel may still be at it. */
  async remove(): Promise<void> {
    await eventually(() => rmdirSync(this.directory), { what: `removal of ${this.directory}` });
  }
}

/** Groups of test runs that were killed themselves. */
function removeLeftovers(parent: string): void {
  for (const name of readdirSync(parent, { withFileTypes: true })) {
    const owner = /^(\d+)-/.exec(name.name)?.[1];
    if (!name.isDirectory() || owner === undefined || isAlive(Number(owner))) continue;
    try {
      rmdirSync(join(parent, name.name));
    } catch {
      // Its processes are still ending; the next run removes it.
    }
  }
}
