/*
 * eventLoopDelay: how late the event loop came back, over at least the last 10 s and at least since the read before.
 * Null where the window holds no sample yet.
 *
 * field         type      unit   source
 * windowMs      num       ms     length of the window
 * samplesCount  int       count  samples in it, one per 20 ms of a loop that turns
 * meanMs        num|null  ms     perf_hooks.monitorEventLoopDelay(), less its own period of 20 ms
 * p50Ms         num|null  ms     half of the samples were not later
 * p99Ms         num|null  ms     99 % of the samples were not later
 * maxMs         num|null  ms     the longest block
 *
 * Cost: 35 µs a read; standing: the loop is woken every 20 ms, which is 3–4 ms of CPU a second in an idle
 * process.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import type { Measurement } from '../measurement.js';
import { ReadWindow } from '../read-window.js';
import { rounded } from '../rounding.js';

const RESOLUTION_MS = 20;

export class EventLoopDelayMeasurement implements Measurement<DiagnosticsSection<'eventLoopDelay'>> {
  readonly name = 'eventLoopDelay';
  /**
   * A histogram forgets the block under way when it is reset (its next sample only starts the clock again). The other
   * stage of the window has it.
   */
  private window: ReadWindow<IntervalHistogram> | undefined;

  /** @param nowMs the clock that ages the window */
  constructor(private readonly nowMs?: () => number) {}

  start(): void {
    this.window ??= new ReadWindow((previous) => {
      const histogram = previous ?? monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      if (previous === undefined) histogram.enable();
      else histogram.reset();
      return histogram;
    }, this.nowMs);
  }

  stop(): void {
    for (const histogram of this.window?.states() ?? []) histogram.disable();
    this.window = undefined;
  }

  /** @throws Error before `start` and after `stop` */
  read(): DiagnosticsSection<'eventLoopDelay'> {
    if (this.window === undefined) throw new Error('not started');
    return this.window.read((histogram, windowMs) => {
      const samplesCount = histogram.count;
      const figure = (delayNs: number) =>
        samplesCount === 0 ? null : rounded(Math.max(0, delayNs / 1e6 - RESOLUTION_MS));
      return {
        windowMs: rounded(windowMs),
        samplesCount,
        meanMs: figure(histogram.mean),
        p50Ms: figure(histogram.percentile(50)),
        p99Ms: figure(histogram.percentile(99)),
        maxMs: figure(histogram.max),
      };
    });
  }
}
