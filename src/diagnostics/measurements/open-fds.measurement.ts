/*
 * openFds: file descriptors of this process: files, sockets, pipes, and a dozen of Node's own.
 *
 * field       type      unit   source
 * openCount   int|null  count  size of /proc/self/fd (Linux 6.2 and later), else its number of entries; null without /proc
 * limitCount  int|null  count  soft limit in /proc/self/limits; null without /proc or when unlimited
 * usedRatio   num|null  0…1    openCount / limitCount; at 1 every open and accept fails with EMFILE
 *
 * Cost: 18 µs a read, however many are open; on kernels before 6.2 the listing takes 5 µs for each.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import type { Measurement } from '../measurement.js';
import { rounded } from '../rounding.js';

export class OpenFdsMeasurement implements Measurement<DiagnosticsSection<'openFds'>> {
  readonly name = 'openFds';

  /** @param procDirectory of the process to count */
  constructor(private readonly procDirectory = '/proc/self') {}

  read(): DiagnosticsSection<'openFds'> {
    const openCount = this.openCount();
    const limitCount = this.limitCount();
    const usedRatio = openCount === null || limitCount === null ? null : rounded(openCount / limitCount);
    return { openCount, limitCount, usedRatio };
  }

  private openCount(): number | null {
    const directory = `${this.procDirectory}/fd`;
    const size = orNullWithoutProc(() => statSync(directory).size);
    if (size === null || size > 0) return size;
    // Older kernels keep no count.
    return orNullWithoutProc(() => countByListing(directory));
  }

  private limitCount(): number | null {
    const limits = orNullWithoutProc(() => readFileSync(`${this.procDirectory}/limits`, 'utf8'));
    const soft = limits === null ? undefined : /^Max open files +(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? null : Number(soft);
  }
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
