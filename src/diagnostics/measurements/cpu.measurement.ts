/*
 * cpu: processor time of the whole process, all threads (V8's and libuv's included).
 *
 * field      type  unit  source
 * userMs     num   ms    process.cpuUsage(): in user mode since the start
 * systemMs   num   ms    process.cpuUsage(): in the kernel since the start
 * windowMs   num   ms    length of the window of usedRatio: at least 10 s and at least since the read before
 * usedRatio  num   0…    (user + system) / windowMs; 1 is one core fully used, more is more than one
 *
 * Cost: 1 µs a read.
 */
import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import type { Measurement } from '../measurement.js';
import { ReadWindow } from '../read-window.js';
import { rounded } from '../rounding.js';

export class CpuMeasurement implements Measurement<DiagnosticsSection<'cpu'>> {
  readonly name = 'cpu';
  private readonly window = new ReadWindow<NodeJS.CpuUsage>(() => process.cpuUsage());

  read(): DiagnosticsSection<'cpu'> {
    return this.window.read((since, windowMs) => {
      const { user, system } = process.cpuUsage();
      const usedMs = (user + system - since.user - since.system) / 1_000;
      return {
        userMs: rounded(user / 1_000),
        systemMs: rounded(system / 1_000),
        windowMs: rounded(windowMs),
        usedRatio: windowMs > 0 ? rounded(usedMs / windowMs) : 0,
      };
    });
  }
}
