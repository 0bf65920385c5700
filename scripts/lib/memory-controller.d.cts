/** One look at the memory of a group, in bytes. */
export interface MemoryReading {
  /** All that is charged: anonymous pages, page cache, the kernel's own. */
  usageBytes: number;
  /** What a kubelet calls the working set, and `kubectl top` shows: usage without the pages of files that lie idle. */
  workingSetBytes: number;
  anonymousBytes: number;
  /** Pages of files, which are given back when memory is short. */
  fileBytes: number;
  /** Pages of files that had been given back and were needed again, since the start; 0 where the kernel does not count them. */
  readAgainBytes: number;
  /** Highest usage since the start. */
  peakBytes: number;
}

/** The kernel's memory controller. A group is named by its directory. */
export interface MemoryController {
  readonly version: 1 | 2;
  /** The mount point of the hierarchy. */
  readonly mount: string;
  /** Where a container sees its own group, below /sys/fs/cgroup. */
  readonly seenAt: string;
  /** Lets the groups below this one have limits; version 1 needs no leave. */
  allowBelow(group: string): void;
  /** Sets its limit, without swap. */
  limit(group: string, bytes: number): void;
  /** O(1), a few small files. @throws Error when the group is not there, or lacks a field */
  read(group: string): MemoryReading;
  /** Processes that the kernel has killed in it because the limit was reached. */
  oomKills(group: string): number;
}

/** The controller of this machine, undefined where there is none. @param root where cgroups are mounted, default /sys/fs/cgroup */
export function memoryController(root?: string): MemoryController | undefined;
