import type { Settings } from '../../../src/config/settings.js';

const MiB = 2 ** 20;

/**
 * What a process holds beside V8's heap and our buffers: private pages of the binary, stacks, thread pool, allocator, the
 * kernel's own for its sockets. Measured in a memory cgroup: 31–35 MiB with 78 connections that ask small things.
 */
export const NATIVE_BASELINE_BYTES = 36 * MiB;

/** What V8's sampling heap profiler and one profile of it need at their peak. */
export const PROFILE_HEADROOM_BYTES = 8 * MiB;

/** V8 keeps two semi-spaces and as much again for large young objects. */
const SEMI_SPACES = 3;

/** Worst case of a process, in bytes, part by part; `sumBytes` must stay within the memory limit. */
export interface MemoryBudget {
  oldSpaceBytes: number;
  youngBytes: number;
  connectionsBytes: number;
  resultsBytes: number;
  nativeBytes: number;
  profileBytes: number;
  sumBytes: number;
}

export type BufferSettings = Pick<
  Settings,
  'maxConnections' | 'maxFrameBytes' | 'maxSendBufferBytes' | 'maxConcurrentRuns' | 'maxResultBytes'
>;

/**
 * Adds up what a process may hold when every limit is reached at once.
 * @throws Error when the flags leave the size of the heap to V8.
 */
export function memoryBudget(nodeOptions: string, values: BufferSettings): MemoryBudget {
  const parts = {
    oldSpaceBytes: flagMiB(nodeOptions, '--max-old-space-size') * MiB,
    youngBytes: flagMiB(nodeOptions, '--max-semi-space-size') * SEMI_SPACES * MiB,
    connectionsBytes: values.maxConnections * (values.maxFrameBytes + values.maxSendBufferBytes),
    resultsBytes: values.maxConcurrentRuns * values.maxResultBytes,
    nativeBytes: NATIVE_BASELINE_BYTES,
    profileBytes: PROFILE_HEADROOM_BYTES,
  };
  return { ...parts, sumBytes: Object.values(parts).reduce((sum, part) => sum + part, 0) };
}

function flagMiB(nodeOptions: string, flag: string): number {
  const value = new RegExp(`(?:^|\\s)${flag}=(\\d+)(?=\\s|$)`).exec(nodeOptions)?.[1];
  if (value === undefined) throw new Error(`NODE_OPTIONS: ${flag} is missing`);
  return Number(value);
}
