import { readdirSync, readFileSync, statSync } from 'node:fs';

/** How many file descriptors are open; null without /proc. On kernels before 6.2 they are listed: 5 µs for each. */
export function openDescriptorCount(procDirectory = '/proc/self'): number | null {
  const directory = `${procDirectory}/fd`;
  const size = orNullWithoutProc(() => statSync(directory).size);
  if (size === null || size > 0) return size;
  // Older kernels keep no count.
  return orNullWithoutProc(() => countByListing(directory));
}

/** How many may be open (soft limit); null without /proc or when unlimited. */
export function descriptorLimit(procDirectory = '/proc/self'): number | null {
  const limits = orNullWithoutProc(() => readFileSync(`${procDirectory}/limits`, 'utf8'));
  const soft = limits === null ? undefined : /^Max open files +(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? null : Number(soft);
}

/** Entries of /proc/…/fd, less the one that the listing itself holds while it runs. */
export function countByListing(directory: string): number {
  return readdirSync(directory).length - 1;
}

function orNullWithoutProc<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
