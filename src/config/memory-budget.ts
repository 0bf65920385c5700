import type { Settings } from './settings.js';

const MiB = 2 ** 20;

/**
 * What a process holds beside V8's heap and our buffers: private pages of the binary, stacks, thread pool, allocator, the
 * kernel's own for its sockets. Measured in a memory cgroup; `k8s/README.md` has the figures.
 */
export const NATIVE_BASELINE_BYTES = 30 * MiB;

/** What V8's sampling heap profiler and one profile of it need at their peak. */
export const PROFILE_HEADROOM_BYTES = 8 * MiB;

/** The settings that bound what is held outside V8's heap. */
export type BufferSettings = Pick<
  Settings,
  'maxConnections' | 'maxFrameBytes' | 'maxSendBufferBytes' | 'maxConcurrentRuns' | 'maxResultBytes'
>;

/** Worst case of a process, in bytes, part by part. */
export interface MemoryBudget {
  /** Old space and young generation, as far as V8 lets them grow. */
  heapBytes: number;
  connectionsBytes: number;
  resultsBytes: number;
  nativeBytes: number;
  profileBytes: number;
  sumBytes: number;
}

/** Adds up what a process may hold when every limit is reached at once. `heapBytes`: V8's `heap_size_limit`. */
export function memoryBudget(heapBytes: number, values: BufferSettings): MemoryBudget {
  const parts = {
    heapBytes,
    connectionsBytes: values.maxConnections * (values.maxFrameBytes + values.maxSendBufferBytes),
    resultsBytes: values.maxConcurrentRuns * values.maxResultBytes,
    nativeBytes: NATIVE_BASELINE_BYTES,
    profileBytes: PROFILE_HEADROOM_BYTES,
  };
  return { ...parts, sumBytes: Object.values(parts).reduce((sum, part) => sum + part, 0) };
}
