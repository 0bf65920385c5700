/*
 * gc: garbage collections since the start of the measurement, by kind. They stop the main thread for their duration.
 *
 * field          type  unit   source
 * totalCount     int   count  all kinds together
 * totalMs        num   ms     time in them
 * <kind>.count   int   count  PerformanceObserver, entry type 'gc'
 * <kind>.totalMs num   ms     sum of their durations
 * <kind>.maxMs   num   ms     the longest
 *
 * Kinds: minor (young generation), major (mark-sweep-compact), incremental (marking in steps), weakCallbacks.
 * Cost: under 1 µs a read; standing: some 0.1 ms of CPU per collection, which is what Node takes to tell of one.
 */
import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import type { Measurement } from '../measurement.js';
import { rounded } from '../rounding.js';

const kinds = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakCallbacks',
} as const;

type Kind = (typeof kinds)[number];

/** `detail` is missing in the types of Node 20. */
type GcEntry = PerformanceEntry & { detail: { kind: number } };

export class GcMeasurement implements Measurement<DiagnosticsSection<'gc'>> {
  readonly name = 'gc';
  private readonly totals: Record<Kind, { count: number; totalMs: number; maxMs: number }> = {
    minor: { count: 0, totalMs: 0, maxMs: 0 },
    major: { count: 0, totalMs: 0, maxMs: 0 },
    incremental: { count: 0, totalMs: 0, maxMs: 0 },
    weakCallbacks: { count: 0, totalMs: 0, maxMs: 0 },
  };
  private observer: PerformanceObserver | undefined;

  start(): void {
    if (this.observer !== undefined) return;
    this.observer = new PerformanceObserver((list) => this.add(list.getEntries()));
    this.observer.observe({ entryTypes: ['gc'] });
  }

  stop(): void {
    this.observer?.disconnect();
    this.observer = undefined;
  }

  read(): DiagnosticsSection<'gc'> {
    // Those that wait for the next callback.
    if (this.observer !== undefined) this.add(this.observer.takeRecords());
    const result: DiagnosticsSection<'gc'> = {
      totalCount: 0,
      totalMs: 0,
      minor: rounding(this.totals.minor),
      major: rounding(this.totals.major),
      incremental: rounding(this.totals.incremental),
      weakCallbacks: rounding(this.totals.weakCallbacks),
    };
    for (const { count, totalMs } of Object.values(this.totals)) {
      result.totalCount += count;
      result.totalMs += totalMs;
    }
    result.totalMs = rounded(result.totalMs);
    return result;
  }

  private add(entries: PerformanceEntry[]): void {
    for (const { duration, detail } of entries as GcEntry[]) {
      const kind = kinds[detail.kind];
      if (kind === undefined) continue;
      const total = this.totals[kind];
      total.count += 1;
      total.totalMs += duration;
      total.maxMs = Math.max(total.maxMs, duration);
    }
  }
}

function rounding({ count, totalMs, maxMs }: { count: number; totalMs: number; maxMs: number }) {
  return { count, totalMs: rounded(totalMs), maxMs: rounded(maxMs) };
}
