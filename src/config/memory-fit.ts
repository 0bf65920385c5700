import { type BufferSettings, memoryBudget } from './memory-budget.js';

const MiB = 2 ** 20;

/** Whether what a process may hold fits its memory limit, and the sum in words for the log. */
export interface MemoryFit {
  fits: boolean;
  text: string;
}

/**
 * Compares the worst case of this process with its limit. Where it does not fit the kernel would kill the process before
 * V8 says a word, and the text ends with the heap that would fit.
 * `heapBytes`: V8's `heap_size_limit`; `limitBytes`: that of the cgroup, null where there is none.
 */
export function memoryFit(heapBytes: number, limitBytes: number | null, values: BufferSettings): MemoryFit {
  const { connectionsBytes, resultsBytes, nativeBytes, profileBytes, sumBytes } = memoryBudget(heapBytes, values);
  const sum =
    `${mebibytes(sumBytes)} MiB at worst = heap ${mebibytes(heapBytes)} + connections ${mebibytes(connectionsBytes)}` +
    ` + results ${mebibytes(resultsBytes)} + native ${mebibytes(nativeBytes)} + heap profile ${mebibytes(profileBytes)}`;
  if (limitBytes === null) return { fits: true, text: `no memory limit; ${sum}` };
  const limit = `memory limit ${mebibytes(limitBytes)} MiB`;
  if (sumBytes <= limitBytes) return { fits: true, text: `${limit}; ${sum}` };
  return {
    fits: false,
    text: `${limit}, but ${sum}: the kernel would kill this process before its heap is full. ${remedy(limitBytes - (sumBytes - heapBytes))}`,
  };
}

/** Three semi-spaces of 4 MiB: smaller ones cost CPU time with every command. */
const YOUNG_BYTES = 12 * MiB;
/** Less than this and the service, which alone holds 45 MiB under load, spends its time collecting garbage until V8 gives up. */
const SMALLEST_OLD_SPACE_BYTES = 56 * MiB;

function remedy(leftForHeapBytes: number): string {
  const oldSpaceBytes = leftForHeapBytes - YOUNG_BYTES;
  return oldSpaceBytes >= SMALLEST_OLD_SPACE_BYTES
    ? `NODE_OPTIONS="--max-old-space-size=${Math.floor(oldSpaceBytes / MiB)} --max-semi-space-size=4" fits, so does a higher limit`
    : 'Raise the limit, or lower MAX_CONNECTIONS, MAX_SEND_BUFFER_BYTES or MAX_CONCURRENT_RUNS';
}

/** One decimal, and none where there is nothing behind the point. */
function mebibytes(bytes: number): string {
  return String(Math.round((bytes / MiB) * 10) / 10);
}
