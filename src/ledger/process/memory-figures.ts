import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { memoryLimitBytes } from './memory-limit.js';
import { residentBytes } from './memory-usage.js';

/** What the memory of this process is measured against. */
export interface MemoryFigures {
  /** Of the cgroup; null without one. */
  limitBytes: number | null;
  /** What counts against that limit and cannot be reclaimed: usage less the pages of files that lie idle. */
  usedBytes: number;
  heapUsedBytes: number;
  /** Of V8. */
  heapLimitBytes: number;
}

/** Where a kernel may keep the figures of our cgroup, and what it calls the pages of files that lie idle. */
const PLACES = [
  { line: /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m, mount: '/sys/fs/cgroup/memory', field: 'total_inactive_file' },
  { line: /^0::(.*)$/m, mount: '/sys/fs/cgroup', field: 'inactive_file' },
];

/** Reads {@link MemoryFigures}: a few small files of the kernel. Never throws. */
export class MemoryReader {
  private readonly machineBytes = totalmem();
  private readonly idleFilePages: () => number | null;

  /** @param root below which /proc and /sys stand: another one in tests */
  constructor(root = '') {
    this.idleFilePages = idleFilePagesReader(root);
  }

  read(): MemoryFigures {
    const { used_heap_size: heapUsedBytes, heap_size_limit: heapLimitBytes } = getHeapStatistics();
    const limits: { constrainedMemory?(): number | undefined; availableMemory?(): number | undefined } = process;
    const limitBytes = memoryLimitBytes(limits.constrainedMemory?.(), this.machineBytes);
    if (limitBytes === null) return { limitBytes, usedBytes: 0, heapUsedBytes, heapLimitBytes };
    const availableBytes = limits.availableMemory?.();
    const idleBytes = this.idleFilePages();
    const usedBytes =
      availableBytes === undefined || idleBytes === null
        ? residentBytes()
        : Math.max(0, limitBytes - availableBytes - idleBytes);
    return { limitBytes, usedBytes, heapUsedBytes, heapLimitBytes };
  }
}

/** Null where the figure cannot be had. */
function idleFilePagesReader(root: string): () => number | null {
  for (const { line, mount, field } of PLACES) {
    const own = textOf(`${root}/proc/self/cgroup`)?.match(line)?.[1];
    if (own === undefined) continue;
    // In a container its own group is often mounted at the root, whatever the path says.
    for (const file of [`${root}${mount}${own}/memory.stat`, `${root}${mount}/memory.stat`]) {
      const pattern = new RegExp(`^${field} (\\d+)$`, 'm');
      const read = (): number | null => {
        const value = textOf(file)?.match(pattern)?.[1];
        return value === undefined ? null : Number(value);
      };
      if (read() !== null) return read;
    }
  }
  return () => null;
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
