/*
 * A sample of the recorder: what the process was like over one interval. `docs/diagnostics.md` has the table of its fields.
 *
 * Cost: 0.3 ms of CPU with 200 groups (npm run bench -- recorder) and O(groups of the ledger) a sample; standing: a delay histogram that wakes the loop every 20 ms and
 * one callback per batch of collections.
 */
import { type EventLoopUtilization, type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { HistorySample } from '../../contract/recorder.schema.js';
import { type LedgerCount, ledgerCountsNow, type LedgerSite, workCounts } from '../../ledger/index.js';
import { memoryUsage } from '../../ledger/process/memory-usage.js';
import { GcMeasurement } from '../measurements/gc.measurement.js';
import { MemoryMeasurement } from '../measurements/memory.measurement.js';
import { OpenFdsMeasurement } from '../measurements/open-fds.measurement.js';
import { rounded } from '../rounding.js';

const RESOLUTION_MS = 20;
/** Bounds on what the application may put into one sample: it is kept thousands of times. */
const MAX_GROWING = 6;
/** A kind that is made by the thousand must not hide a slow leak of another. */
const MAX_GROWING_PER_KIND = 2;
/** An estimate that rests on fewer samples says little about growth: its error is then above a fifth of it. */
const MAX_ERROR_RATIO = 0.2;
const MAX_KINDS = 64;
const MAX_WORK_NAMES = 16;
const MAX_TEXT_LENGTH = 200;

/** Where the counters stood when the last sample was taken. */
interface Baseline {
  at: number;
  atMs: number;
  cpu: NodeJS.CpuUsage;
  loop: EventLoopUtilization;
  gcMs: number;
  work: Readonly<Record<string, number>>;
}

/** Takes samples, each over the time since the one before. */
export class SampleTaker {
  private readonly memory = new MemoryMeasurement();
  private readonly fds = new OpenFdsMeasurement();
  private readonly gc = new GcMeasurement();
  private running: { delay: IntervalHistogram; baseline: Baseline } | undefined;

  constructor(private readonly inFlightCount: () => number | null) {}

  start(): void {
    if (this.running !== undefined) return;
    const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delay.enable();
    this.gc.start();
    this.running = { delay, baseline: this.baseline() };
  }

  stop(): void {
    this.running?.delay.disable();
    this.gc.stop();
    this.running = undefined;
  }

  /** @throws Error before `start` and after `stop` */
  take(): HistorySample {
    if (this.running === undefined) throw new Error('not started');
    const { delay, baseline: before } = this.running;
    const now = this.baseline();
    const intervalMs = Math.max(1, now.atMs - before.atMs);
    const { limitBytes, availableBytes } = this.memory.read();
    const { rss, heapUsed, heapTotal, external, arrayBuffers } = memoryUsage();
    const { kinds, groups } = ledgerCountsNow();
    const sample: HistorySample = {
      at: now.at,
      intervalMs: rounded(intervalMs),
      cpuRatio: rounded((now.cpu.user + now.cpu.system - before.cpu.user - before.cpu.system) / 1_000 / intervalMs),
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      externalBytes: external,
      arrayBuffersBytes: arrayBuffers,
      nativeBytes: Math.max(0, rss - heapTotal - external),
      limitBytes,
      availableBytes: limitBytes === null ? null : availableBytes,
      loopDelayP99Ms: delay.count === 0 ? null : rounded(Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS)),
      loopUtilizationRatio: rounded(
        Math.max(0, performance.eventLoopUtilization(now.loop, before.loop).utilization || 0),
      ),
      gcMs: rounded(now.gcMs - before.gcMs),
      openFdsCount: this.fds.read().openCount,
      inFlightCount: this.inFlightCount(),
      kinds: Object.fromEntries(
        kinds
          .filter(({ live }) => live > 0)
          .slice(0, MAX_KINDS)
          .map(({ kind, live }) => [cut(kind), live]),
      ),
      growing: growing(groups),
      workPerSecond: rates(before.work, now.work, intervalMs),
    };
    delay.reset();
    this.running.baseline = now;
    return sample;
  }

  private baseline(): Baseline {
    return {
      at: Date.now(),
      atMs: performance.now(),
      cpu: process.cpuUsage(),
      loop: performance.eventLoopUtilization(),
      gcMs: this.gc.read().totalMs,
      work: workCounts(),
    };
  }
}

function growing(groups: readonly LedgerCount[]): HistorySample['growing'] {
  const seenCounts = new Map<string, number>();
  return groups
    .filter(({ ratePerSecond, live, error }) => ratePerSecond > 0 && error <= live * MAX_ERROR_RATIO)
    .sort((a, b) => b.ratePerSecond - a.ratePerSecond)
    .filter(({ kind }) => {
      const seenCount = (seenCounts.get(kind) ?? 0) + 1;
      seenCounts.set(kind, seenCount);
      return seenCount <= MAX_GROWING_PER_KIND;
    })
    .slice(0, MAX_GROWING)
    .map(({ id, kind, site, live, ratePerSecond }) => ({
      id,
      kind: cut(kind),
      site: site === null ? null : shortSite(site),
      live,
      ratePerSecond: rounded(ratePerSecond),
    }));
}

function shortSite({ file, line, column, function: name }: LedgerSite): LedgerSite {
  // The end of a path tells more than its beginning.
  return { file: file.slice(-MAX_TEXT_LENGTH), line, column, function: name === null ? null : cut(name) };
}

function rates(
  before: Readonly<Record<string, number>>,
  now: Readonly<Record<string, number>>,
  intervalMs: number,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(now)
      .slice(0, MAX_WORK_NAMES)
      .map(([name, count]) => [cut(name), rounded((Math.max(0, count - (before[name] ?? 0)) * 1_000) / intervalMs)]),
  );
}

function cut(text: string): string {
  return text.slice(0, MAX_TEXT_LENGTH);
}
