/**
 * A snapshot takes memory by the number of objects: 4 times a heap of long strings, 8 to 11 times a mixed one, 23 times one
 * of a million small objects. How many there are is not known beforehand, and the kernel kills whoever guesses low.
 */
const MEMORY_FACTOR = 24;
/** For the service to go on with meanwhile. */
const RESERVE_BYTES = 64 * 1_024 * 1_024;
/** Processor time per MiB of heap, in which nothing else runs. */
const STANDSTILL_MS_PER_MIB = 90;

/** Whether there is room for a snapshot, with the figures it is judged by. */
export interface SnapshotPreflight {
  readonly possible: boolean;
  readonly heapUsedBytes: number;
  /** What it takes at the most: 24 times the heap, and 64 MiB for the service. */
  readonly requiredBytes: number;
  /** What the process may still take: of its cgroup's limit, or of the machine's memory. */
  readonly availableBytes: number;
  /** About how long nothing else will run. */
  readonly standstillMs: number;
}

/** @param figures in bytes */
export function snapshotPreflight({
  heapUsedBytes,
  availableBytes,
}: {
  heapUsedBytes: number;
  availableBytes: number;
}): SnapshotPreflight {
  const requiredBytes = MEMORY_FACTOR * heapUsedBytes + RESERVE_BYTES;
  return {
    possible: availableBytes > requiredBytes,
    heapUsedBytes,
    requiredBytes,
    availableBytes,
    standstillMs: Math.round((heapUsedBytes / 1_024 ** 2) * STANDSTILL_MS_PER_MIB),
  };
}
