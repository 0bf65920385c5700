/*
 * eventLoopUtilization: how busy the loop was, over at least the last 10 s and at least since the read before.
 *
 * field             type  unit  source
 * windowMs          num   ms    length of the window
 * activeMs          num   ms    performance.eventLoopUtilization(): outside the event provider, that is in our code
 * idleMs            num   ms    waiting for events
 * utilizationRatio  num   0…1   activeMs / (activeMs + idleMs); 1 is a loop that never waits
 *
 * Cost: under 1 µs a read.
 */
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import type { Measurement } from '../measurement.js';
import { ReadWindow } from '../read-window.js';
import { rounded } from '../rounding.js';

export class EventLoopUtilizationMeasurement implements Measurement<DiagnosticsSection<'eventLoopUtilization'>> {
  readonly name = 'eventLoopUtilization';
  private readonly window = new ReadWindow<EventLoopUtilization>(() => performance.eventLoopUtilization());

  read(): DiagnosticsSection<'eventLoopUtilization'> {
    return this.window.read((since, windowMs) => {
      const { active, idle, utilization } = performance.eventLoopUtilization(since);
      return {
        windowMs: rounded(windowMs),
        // Before the loop's first turn Node's figures can fall a hair below zero.
        activeMs: rounded(Math.max(0, active)),
        idleMs: rounded(Math.max(0, idle)),
        utilizationRatio: rounded(Math.max(0, utilization)),
      };
    });
  }
}
