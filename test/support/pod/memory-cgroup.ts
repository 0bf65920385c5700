import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../eventually.js';
import { isAlive } from '../is-alive.js';

const PARENT = 'commander-pods';

/** One look at the memory of a cgroup, in bytes. */
export interface MemoryReading {
  /** All that is charged: anonymous pages, page cache, the kernel's own. */
  usageBytes: number;
  /** What a kubelet calls the working set, and `kubectl top` shows: usage without the pages of files that lie idle. */
  workingSetBytes: number;
  anonymousBytes: number;
  /** Highest usage since the start. */
  peakBytes: number;
}

/** Where a version of the kernel's interface keeps what we need. */
interface Version {
  /** The mount point of the hierarchy. */
  mount: string;
  /** Where a container sees its own cgroup, below /sys/fs/cgroup. */
  seenAt: string;
  limit(directory: string, bytes: number): void;
  read(directory: string): MemoryReading;
  oomKills(directory: string): number;
}

const text = (directory: string, file: string) => readFileSync(join(directory, file), 'utf8').trim();
const number = (directory: string, file: string) => Number(text(directory, file));

/** A field of a file with lines of `name value`. @throws Error when it is not there */
function field(directory: string, file: string, name: string): number {
  const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(text(directory, file))?.[1];
  if (value === undefined) throw new Error(`${directory}/${file}: no ${name}`);
  return Number(value);
}

const VERSION_1: Version = {
  mount: '/sys/fs/cgroup/memory',
  seenAt: '/memory',
  limit(directory, bytes) {
    writeFileSync(join(directory, 'memory.limit_in_bytes'), String(bytes));
    // The sum with swap, where the kernel counts it: no swap for containers.
    const withSwap = join(directory, 'memory.memsw.limit_in_bytes');
    if (existsSync(withSwap)) writeFileSync(withSwap, String(bytes));
  },
  read(directory) {
    const usageBytes = number(directory, 'memory.usage_in_bytes');
    return {
      usageBytes,
      workingSetBytes: Math.max(0, usageBytes - field(directory, 'memory.stat', 'total_inactive_file')),
      anonymousBytes: field(directory, 'memory.stat', 'total_rss'),
      peakBytes: number(directory, 'memory.max_usage_in_bytes'),
    };
  },
  // memory.failcnt stays 0 on newer kernels.
  oomKills: (directory) => field(directory, 'memory.oom_control', 'oom_kill'),
};

const VERSION_2: Version = {
  mount: '/sys/fs/cgroup',
  seenAt: '',
  limit(directory, bytes) {
    writeFileSync(join(directory, 'memory.max'), String(bytes));
    if (existsSync(join(directory, 'memory.swap.max'))) writeFileSync(join(directory, 'memory.swap.max'), '0');
  },
  read(directory) {
    const usageBytes = number(directory, 'memory.current');
    return {
      usageBytes,
      workingSetBytes: Math.max(0, usageBytes - field(directory, 'memory.stat', 'inactive_file')),
      anonymousBytes: field(directory, 'memory.stat', 'anon'),
      // Linux 5.19 brought it.
      peakBytes: existsSync(join(directory, 'memory.peak')) ? number(directory, 'memory.peak') : usageBytes,
    };
  },
  oomKills: (directory) => field(directory, 'memory.events', 'oom_kill'),
};

function version(): Version | undefined {
  if (existsSync(join(VERSION_1.mount, 'memory.limit_in_bytes'))) return VERSION_1;
  const controllers = join(VERSION_2.mount, 'cgroup.controllers');
  return existsSync(controllers) && readFileSync(controllers, 'utf8').split(/\s/).includes('memory')
    ? VERSION_2
    : undefined;
}

/** A real memory cgroup of version 1 or 2 with a limit and no swap; needs root. */
export class MemoryCgroup {
  private constructor(
    private readonly version: Version,
    readonly directory: string,
  ) {}

  /** @throws Error when this machine has no memory controller, or does not let us use it */
  static create(name: string, limitBytes: number): MemoryCgroup {
    const found = version();
    if (found === undefined) throw new Error('no memory controller below /sys/fs/cgroup');
    const parent = join(found.mount, PARENT);
    if (found === VERSION_2) allowMemory(found.mount);
    mkdirSync(parent, { recursive: true });
    if (found === VERSION_2) allowMemory(parent);
    removeLeftovers(parent);
    // Our own process id: whoever comes next can tell what nobody needs any more.
    const directory = join(parent, `${process.pid}-${name}`);
    mkdirSync(directory);
    const group = new MemoryCgroup(found, directory);
    found.limit(directory, limitBytes);
    return group;
  }

  /** Where the container sees its own cgroup, below /sys/fs/cgroup. */
  get seenAt(): string {
    return this.version.seenAt;
  }

  /** Reads usage, working set and peak; O(1), a few small files. */
  read(): MemoryReading {
    return this.version.read(this.directory);
  }

  /** Processes that the kernel has killed here because the limit was reached. */
  oomKills(): number {
    return this.version.oomKills(this.directory);
  }

  /** Removes it; its processes must have ended, and the kernel may still be at it. */
  async remove(): Promise<void> {
    await eventually(() => rmdirSync(this.directory), { what: `removal of ${this.directory}` });
  }
}

function allowMemory(directory: string): void {
  const control = join(directory, 'cgroup.subtree_control');
  if (!readFileSync(control, 'utf8').split(/\s/).includes('memory')) writeFileSync(control, '+memory');
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
