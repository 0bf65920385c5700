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
import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import { descriptorLimit, openDescriptorCount } from '../../ledger/process/open-descriptors.js';
import type { Measurement } from '../measurement.js';
import { rounded } from '../rounding.js';

export class OpenFdsMeasurement implements Measurement<DiagnosticsSection<'openFds'>> {
  readonly name = 'openFds';

  /** @param procDirectory of the process to count */
  constructor(private readonly procDirectory = '/proc/self') {}

  read(): DiagnosticsSection<'openFds'> {
    const openCount = openDescriptorCount(this.procDirectory);
    const limitCount = descriptorLimit(this.procDirectory);
    const usedRatio = openCount === null || limitCount === null ? null : rounded(openCount / limitCount);
    return { openCount, limitCount, usedRatio };
  }
}
