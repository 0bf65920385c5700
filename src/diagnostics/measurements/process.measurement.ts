/*
 * process: which process answers. Arguments, title, user and environment are left out on purpose: they carry secrets.
 *
 * field        type    unit             source
 * pid          int     –                process.pid
 * startedAt    int     ms since epoch   performance.timeOrigin
 * uptimeMs     number  ms               process.uptime()
 * nodeVersion  string  –                process.versions.node
 * v8Version    string  –                process.versions.v8
 * platform     string  –                process.platform
 * arch         string  –                process.arch
 * cpuCount     int     cores            os.availableParallelism() at start: what this process may use
 *
 * Cost: under 1 µs a read.
 */
import { availableParallelism } from 'node:os';
import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import type { Measurement } from '../measurement.js';
import { rounded } from '../rounding.js';

export class ProcessMeasurement implements Measurement<DiagnosticsSection<'process'>> {
  readonly name = 'process';
  private readonly cpuCount = availableParallelism();

  read(): DiagnosticsSection<'process'> {
    return {
      pid: process.pid,
      startedAt: Math.round(performance.timeOrigin),
      uptimeMs: rounded(process.uptime() * 1_000),
      nodeVersion: process.versions.node,
      v8Version: process.versions.v8,
      platform: process.platform,
      arch: process.arch,
      cpuCount: this.cpuCount,
    };
  }
}
