import { performance } from 'node:perf_hooks';
import { type CodeLocation, CodeLocations } from '../capture/code-locations.js';
import { shownOrigin } from '../positions/shown-place.js';
import { type AllocationStack, allocationStacks, heaviestStacks } from './allocation-stacks.js';
import { FloorSeries } from './floor-series.js';
import { heapGrowth } from './heap-growth.js';
import type { HeapSamplingStatus, HeapSite, HeapStack } from './heap-sampling.js';
import { MajorCollections } from './major-collections.js';
import { V8HeapProfiler } from './v8-heap-profiler.js';

const KIB = 1_024;
const DEFAULT_INTERVAL_BYTES = 512 * KIB;
const CLOSER_INTERVAL_BYTES = 128 * KIB;
const MIN_INTERVAL_BYTES = 32 * KIB;
const MAX_INTERVAL_BYTES = 16 * KIB * KIB;
const CLOSER_MS = 120_000;
const MAX_CLOSER_MS = 600_000;
/** Two reads closer than this would see the same garbage. */
const MIN_READ_GAP_MS = 250;

/** Bytes per entry of each table, measured in test/ledger/heap/floor-series.spec.ts. */
const BYTES = { site: 700, stack: 250, location: 220 };

/** One series at one interval. */
interface Run {
  readonly intervalBytes: number;
  readonly startedAt: number;
  readonly series: FloorSeries;
  stacks: AllocationStack[];
  lastReadAt: number | null;
}

interface Holder {
  /** Undefined: holds it only while it looks closer. */
  intervalBytes?: number | undefined;
  closer?: { readonly intervalBytes: number; readonly untilMs: number } | undefined;
}

/** What the sampler needs of the ledger beside it. */
export interface HeapSamplerHome {
  readonly projectRoot: string;
  /** Not counted, nor stopped by faked timers. */
  readonly ownTimers: Pick<typeof globalThis, 'setTimeout' | 'clearTimeout'>;
  resolvePositions(locations: readonly CodeLocation[]): Promise<void>;
}

/** The one heap sampler of a process (of a worker thread): off until somebody holds it. */
export class HeapSampler {
  private readonly profiler = new V8HeapProfiler();
  private readonly locations = new CodeLocations();
  private readonly majorCollections = new MajorCollections();
  private readonly holders = new Map<string, Holder>();
  private run: Run | undefined;
  /** What was known before the interval was changed, or the sampler stopped. */
  private before: Run | undefined;
  private stepBack: NodeJS.Timeout | undefined;
  private costMs = 0;
  private lastReadMs = 0;

  constructor(private readonly home: HeapSamplerHome) {}

  get isRunning(): boolean {
    return this.run !== undefined;
  }

  hold(holder: string, intervalBytes: number = DEFAULT_INTERVAL_BYTES): boolean {
    this.holders.set(holder, { ...this.holders.get(holder), intervalBytes: clamped(intervalBytes) });
    return this.adapt();
  }

  release(holder: string): void {
    if (this.holders.delete(holder)) this.adapt();
  }

  lookCloser(
    holder: string,
    { intervalBytes = CLOSER_INTERVAL_BYTES, forMs = CLOSER_MS }: { intervalBytes?: number; forMs?: number },
  ): boolean {
    const untilMs = performance.now() + Math.min(MAX_CLOSER_MS, Math.max(1, forMs));
    this.holders.set(holder, {
      ...this.holders.get(holder),
      closer: { intervalBytes: clamped(intervalBytes), untilMs },
    });
    return this.adapt();
  }

  read(): void {
    const { run } = this;
    if (!run) return;
    const startedMs = performance.now();
    // By the clock that never goes back: rates are taken from it.
    const atMs = Math.round(performance.timeOrigin + startedMs);
    if (run.lastReadAt !== null && atMs - run.lastReadAt < MIN_READ_GAP_MS) return;
    run.lastReadAt = atMs;
    const tree = this.profiler.read();
    if (!tree) {
      this.holders.clear();
      this.adapt();
      return;
    }
    const stacks = allocationStacks(tree, this.locations);
    const bytes = new Map<number, number>();
    for (const stack of stacks) bytes.set(stack.siteNumber, (bytes.get(stack.siteNumber) ?? 0) + stack.bytes);
    run.series.add(atMs, bytes, this.majorCollections.happened());
    run.stacks = heaviestStacks(stacks);
    this.lastReadMs = performance.now() - startedMs;
    this.costMs += this.lastReadMs;
  }

  async sites(): Promise<HeapSite[]> {
    const run = this.shownRun();
    if (!run) return [];
    const heaviest = new Map<number, AllocationStack>();
    for (const stack of run.stacks) {
      const known = heaviest.get(stack.siteNumber);
      if (!known || stack.bytes > known.bytes) heaviest.set(stack.siteNumber, stack);
    }
    const { root } = await this.resolved([...heaviest.values()]);
    return [...heaviest]
      .map(([siteNumber, { origin }]) => {
        const { series, intervalBytes } = run;
        const { site, stack } = shownOrigin(origin, root);
        const { bytesPerSecond, z, floor } = heapGrowth(
          series.floors(siteNumber),
          series.provisional(siteNumber),
          intervalBytes,
        );
        return {
          site,
          stack,
          liveBytes: Math.round(series.level(siteNumber)),
          growthBytesPerSecond: Math.round(bytesPerSecond),
          confidence: Math.round(z * 100) / 100,
          floor: floor.atMs.map((atMs, index) => ({ atMs, bytes: Math.round(floor.bytes[index]) })),
        };
      })
      .sort(
        (a, b) =>
          b.confidence - a.confidence || b.growthBytesPerSecond - a.growthBytesPerSecond || b.liveBytes - a.liveBytes,
      );
  }

  async stacks(): Promise<HeapStack[]> {
    const stacks = (this.run ?? this.before)?.stacks ?? [];
    const { root } = await this.resolved(stacks);
    return stacks.map(({ origin, bytes, count }) => {
      const { site, stack } = shownOrigin(origin, root);
      return { site, stack, liveBytes: Math.round(bytes), liveCount: Math.round(count) };
    });
  }

  status(): HeapSamplingStatus {
    const shown = this.shownRun();
    const closer = this.closerLooks().map(({ untilMs }) => untilMs);
    const sitesCount = shown?.series.sitesCount ?? 0;
    return {
      running: this.isRunning,
      unavailable: this.profiler.failure,
      intervalBytes: this.run?.intervalBytes ?? 0,
      startedAt: this.run?.startedAt ?? null,
      closerUntil: closer.length > 0 ? Math.round(Date.now() + Math.max(...closer) - performance.now()) : null,
      readsCount: shown?.series.readsCount ?? 0,
      lastReadAt: shown?.lastReadAt ?? null,
      costMs: Math.round(this.costMs * 1_000) / 1_000,
      lastReadMs: Math.round(this.lastReadMs * 1_000) / 1_000,
      sitesCount,
      locationsCount: this.locations.locationCount,
      memoryBytes:
        [this.run, this.before].reduce(
          (sum, run) => sum + (run ? run.series.sitesCount * BYTES.site + run.stacks.length * BYTES.stack : 0),
          0,
        ) +
        this.locations.locationCount * BYTES.location,
      holders: [...this.holders.keys()],
    };
  }

  /** Brings V8 to what the holders want together. */
  private adapt(): boolean {
    this.endCloserLooks();
    const wanted = [...this.holders.values()].map(({ intervalBytes = Infinity, closer }) =>
      Math.min(intervalBytes, closer?.intervalBytes ?? Infinity),
    );
    const intervalBytes = Math.min(...wanted);
    if (intervalBytes === this.run?.intervalBytes) return true;
    this.end();
    if (intervalBytes === Infinity) return true;
    if (!this.profiler.start(intervalBytes)) {
      this.holders.clear();
      this.endCloserLooks();
      return false;
    }
    const series = new FloorSeries();
    this.run = { intervalBytes, startedAt: Date.now(), series, stacks: [], lastReadAt: null };
    return true;
  }

  private end(): void {
    if (!this.run) return;
    this.profiler.stop();
    // A run that was too short to tell anything does not take the place of one that did.
    if (tells(this.run) || !this.before) this.before = this.run;
    this.run = undefined;
  }

  /** Lets those end whose time is over, and wakes up for the next. */
  private endCloserLooks(): void {
    this.home.ownTimers.clearTimeout(this.stepBack);
    this.stepBack = undefined;
    const nowMs = performance.now();
    for (const [name, holder] of this.holders) {
      if (holder.closer && holder.closer.untilMs <= nowMs) holder.closer = undefined;
      if (!holder.closer && holder.intervalBytes === undefined) this.holders.delete(name);
    }
    const next = Math.min(...this.closerLooks().map(({ untilMs }) => untilMs));
    if (next === Infinity) return;
    this.stepBack = this.home.ownTimers.setTimeout(() => this.adapt(), Math.ceil(next - nowMs));
    this.stepBack.unref();
  }

  private closerLooks() {
    return [...this.holders.values()].flatMap(({ closer }) => (closer ? [closer] : []));
  }

  /** The run that can say most: the present one as soon as it can tell growth. */
  private shownRun(): Run | undefined {
    if (this.run && tells(this.run)) return this.run;
    return this.before && tells(this.before) ? this.before : (this.run ?? this.before);
  }

  private async resolved(stacks: readonly AllocationStack[]): Promise<{ root: string }> {
    await this.home.resolvePositions(stacks.flatMap(({ origin }) => origin.frames));
    return { root: this.home.projectRoot };
  }
}

function tells(run: Run): boolean {
  return run.series.windowsCount >= 2;
}

function clamped(intervalBytes: number): number {
  return Math.round(Math.min(MAX_INTERVAL_BYTES, Math.max(MIN_INTERVAL_BYTES, intervalBytes)));
}
