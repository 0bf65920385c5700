import { readdirSync, readFileSync, statSync } from 'node:fs';

/** Limits as they were read last, by file. */
const knownLimits = new Map<string, number | null>();

/**
 * How many file descriptors are open; null without /proc. On kernels before 6.2 they are listed: 5 µs for each. That takes a descriptor:
 * without a free one as many are open as may be.
 */
export function openDescriptorCount(procDirectory = '/proc/self'): number | null {
  const directory = `${procDirectory}/fd`;
  return orWithoutDescriptor(
    () => {
      const { size } = statSync(directory);
      // Older kernels keep no count.
      return size > 0 ? size : countByListing(directory);
    },
    () => descriptorLimit(procDirectory),
  );
}

/** How many may be open (soft limit); null without /proc or when unlimited. Without a free descriptor as it was read last. */
export function descriptorLimit(procDirectory = '/proc/self'): number | null {
  const file = `${procDirectory}/limits`;
  return orWithoutDescriptor(
    () => {
      const soft = /^Max open files +(\d+)/m.exec(readFileSync(file, 'utf8'))?.[1];
      const limit = soft === undefined ? null : Number(soft);
      knownLimits.set(file, limit);
      return limit;
    },
    () => knownLimits.get(file) ?? null,
  );
}

/** Entries of /proc/…/fd, less the one that the listing itself holds while it runs. */
export function countByListing(directory: string): number {
  return readdirSync(directory).length - 1;
}

/** Null without /proc. @param instead what is told when the process, or the machine, has no free descriptor to read with */
function orWithoutDescriptor(read: () => number | null, instead: () => number | null): number | null {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    if (code === 'EMFILE' || code === 'ENFILE') return instead();
    throw error;
  }
}
