import type { LedgerCore } from '../ledger-core.js';
import { MemoryReader } from '../process/memory-figures.js';
import { memoryUsage } from '../process/memory-usage.js';
import { descriptorLimit, openDescriptorCount } from '../process/open-descriptors.js';
import type { DeclaredCeilings } from '../verdict/declared-ceilings.js';
import type { LimitsReading, ProcessReading, WorkReading } from '../verdict/detector-sample.js';
import type { Finding } from '../verdict/finding.js';
import { LeakDetector } from '../verdict/leak-detector.js';
import { parameters } from '../verdict/verdict-parameters.js';
import { GroupReadings } from './group-readings.js';
import { HeapFloor } from './heap-floor.js';
import type { WorkCounts } from './work-counts.js';

/** Limits do not change, as good as never: a cgroup can be resized. */
const LIMITS_EVERY_MS = 60_000;
/** Kernels before 6.2 list open files one by one: when that takes longer, it is done only as often as the above. */
const LISTING_MOST_MS = 2;

/** Feeds the detector with what the ledger and the process hold, every few seconds, from the ledger's own tick. */
export class LeakWatch {
  readonly detector: LeakDetector;
  private readonly readings: GroupReadings;
  private readonly floor = new HeapFloor();
  private readonly memory = new MemoryReader();
  private limits: LimitsReading = { memoryBytes: null, heapBytes: null, fds: null };
  private limitsAtMs = -Infinity;
  private descriptors = { openFds: null as number | null, knownFds: 0, atMs: -Infinity, tookMs: 0 };
  private takenAtMs = -Infinity;

  constructor(
    private readonly core: LedgerCore,
    private readonly work: WorkCounts,
    ceilings: DeclaredCeilings,
  ) {
    this.detector = new LeakDetector(ceilings);
    this.readings = new GroupReadings(core);
  }

  start(): void {
    this.floor.start();
    this.work.start();
    this.tick(this.core.now());
  }

  stop(): void {
    this.floor.stop();
    this.work.stop();
  }

  /** To be called about once a second. */
  tick(nowMs: number): void {
    // The clock of a timer wanders: a tick that comes a little early counts.
    if (nowMs - this.takenAtMs < parameters.tickMs - 100) this.floor.look();
    else this.take(nowMs);
  }

  findings(): Finding[] {
    return this.detector.findings();
  }

  private take(nowMs: number): void {
    this.takenAtMs = nowMs;
    this.readLimits(nowMs);
    this.detector.take({
      atMs: nowMs,
      groups: this.readings.read(this.detector),
      process: this.readProcess(nowMs),
      work: this.readWork(),
      limits: this.limits,
    });
  }

  private readProcess(nowMs: number): ProcessReading {
    const { rss, heapTotal, external } = memoryUsage();
    const { limitBytes, usedBytes } = this.memory.read();
    this.readDescriptors(nowMs);
    const { openFds, knownFds } = this.descriptors;
    return {
      ...this.floor.take(),
      heapTotalBytes: heapTotal,
      externalBytes: external,
      rssBytes: rss,
      chargedBytes: limitBytes === null ? rss : usedBytes,
      openFds,
      knownFds,
      inbound: this.core.counters.get('socket.server')?.live ?? 0,
    };
  }

  /** Beside what was counted as work: connections that came and went. */
  private readWork(): WorkReading[] {
    const work = this.work.read();
    const ended = this.core.counters.get('socket.server')?.closed ?? 0;
    return ended > 0 ? [...work, { unit: 'connection', count: ended, vagueness: 0.2 }] : work;
  }

  /** Both at one moment: sockets of a burst that were listed half a minute ago are not held against those alive now. */
  private readDescriptors(nowMs: number): void {
    const { atMs, tookMs } = this.descriptors;
    if (tookMs > LISTING_MOST_MS && nowMs - atMs < LIMITS_EVERY_MS) return;
    const startedMs = this.core.now();
    const openFds = openDescriptorCount();
    let knownFds = 0;
    for (const { live, options } of this.core.counters.values()) knownFds += live * (options.fds ?? 0);
    this.descriptors = { openFds, knownFds, atMs: nowMs, tookMs: this.core.now() - startedMs };
  }

  private readLimits(nowMs: number): void {
    if (nowMs - this.limitsAtMs < LIMITS_EVERY_MS) return;
    this.limitsAtMs = nowMs;
    const { limitBytes, heapLimitBytes } = this.memory.read();
    this.limits = { memoryBytes: limitBytes, heapBytes: heapLimitBytes, fds: descriptorLimit() };
  }
}
