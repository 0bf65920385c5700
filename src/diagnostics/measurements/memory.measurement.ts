/*
 * memory: what the kernel charges this process with, and how much it may have.
 *
 * field              type      unit   source
 * rssBytes           int       bytes  process.memoryUsage(): resident pages, heap and native together
 * peakRssBytes       int       bytes  process.resourceUsage().maxRSS: highest resident size since the start
 * externalBytes      int       bytes  process.memoryUsage(): native memory that JS objects hold, array buffers included
 * arrayBuffersBytes  int       bytes  process.memoryUsage(): ArrayBuffer, SharedArrayBuffer and Buffer
 * limitBytes         int|null  bytes  process.constrainedMemory(): limit of the cgroup; null where there is none
 * usedRatio          num|null  0…     rssBytes / limitBytes
 * availableBytes     int|null  bytes  process.availableMemory(): what may still be taken; null where Node cannot tell
 * machineTotalBytes  int       bytes  os.totalmem() at start
 *
 * Cost: 75 µs a read, most of it the kernel's: /proc and the cgroup are read.
 */
import { totalmem } from 'node:os';
import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import { memoryLimitBytes } from '../../ledger/process/memory-limit.js';
import { memoryUsage } from '../../ledger/process/memory-usage.js';
import type { Measurement } from '../measurement.js';
import { rounded } from '../rounding.js';

/** Both came to Node after 20.0, and what they return there is not what the types promise. */
interface MaybeLimits {
  constrainedMemory?(): number | undefined;
  availableMemory?(): number | undefined;
}

export class MemoryMeasurement implements Measurement<DiagnosticsSection<'memory'>> {
  readonly name = 'memory';
  private readonly machineTotalBytes = totalmem();

  read(): DiagnosticsSection<'memory'> {
    const { rss, external, arrayBuffers } = memoryUsage();
    const limits: MaybeLimits = process;
    const limitBytes = memoryLimitBytes(limits.constrainedMemory?.(), this.machineTotalBytes);
    return {
      rssBytes: rss,
      peakRssBytes: process.resourceUsage().maxRSS * 1_024,
      externalBytes: external,
      arrayBuffersBytes: arrayBuffers,
      limitBytes,
      usedRatio: limitBytes === null ? null : rounded(rss / limitBytes),
      availableBytes: limits.availableMemory?.() ?? null,
      machineTotalBytes: this.machineTotalBytes,
    };
  }
}
