import type { LedgerFrame, LedgerSite } from '../ledger-snapshot.js';

/** How to sample. */
export interface HeapSamplingOptions {
  /** Mean bytes allocated between two samples. Default 512 KiB; clamped to 32 KiB … 16 MiB. */
  intervalBytes?: number;
}

/** How to look closer for a while. */
export interface CloserLook {
  /** Default 128 KiB; clamped as above. */
  intervalBytes?: number;
  /** Default 120,000; 10 minutes at most. */
  forMs?: number;
}

/** The least that a site held in one window: 8 reads or more, and a major collection, so that garbage is not in it. */
export interface HeapFloorPoint {
  /** End of the window, in milliseconds since the epoch. */
  atMs: number;
  bytes: number;
}

/** What is alive of what one function allocated, itself or through natives and libraries it called. */
export interface HeapSite {
  /** First line of the function, in its source; null when no function of the application was on the stack. */
  site: LedgerSite | null;
  /** The way to it that holds most, innermost first. Each entry is the first line of a function. */
  stack: LedgerFrame[];
  /** Estimate: allocated since the sampling began and still alive. */
  liveBytes: number;
  /** Slope of the floor; while `confidence` is 0, that window is in it which lacks a collection, and so maybe garbage. */
  growthBytesPerSecond: number;
  /**
   * How many standard deviations the growth is away from chance; from 3.5 on it is safe to call it growth. 0 while less
   * than two windows are complete, or when the growth has come to its end within what was watched.
   */
  confidence: number;
  /** What the two figures were taken from, oldest first; for further tests. */
  floor: HeapFloorPoint[];
}

/** What is alive by the way that led to its allocation, at the last read. */
export interface HeapStack {
  site: LedgerSite | null;
  /** Innermost first; library frames above the application's and below are there, Node's own are not. */
  stack: LedgerFrame[];
  liveBytes: number;
  /** Estimate. */
  liveCount: number;
}

export interface HeapSamplingStatus {
  running: boolean;
  /** Why it cannot run here; null when it can, or was not tried. */
  unavailable: string | null;
  /** In force now; 0 when not running. */
  intervalBytes: number;
  /** Milliseconds since the epoch; null when not running. */
  startedAt: number | null;
  /** Until when it looks closer; null when it does not. */
  closerUntil: number | null;
  /** Reads that are in the answer now, and the time of the last. */
  readsCount: number;
  lastReadAt: number | null;
  /** Time its reads took since the start of the process. */
  costMs: number;
  lastReadMs: number;
  sitesCount: number;
  locationsCount: number;
  /** Estimate from what its tables hold. */
  memoryBytes: number;
  /** Who wants it to run. */
  holders: string[];
}

/**
 * Bytes by the function that allocated them, from V8's sampling profiler. There is one sampler in a process; whoever wants
 * it holds it by a name, and it runs while anybody does, at the finest interval asked for. All read the same figures.
 */
export interface HeapSampling {
  /** Whether the sampler runs, for whomever. */
  readonly isRunning: boolean;
  /** Holds the sampler, or changes the interval. @returns false when it cannot run; `status()` says why. Never throws. */
  start(options?: HeapSamplingOptions): boolean;
  /** Lets go of it, a closer look included. What was found stays readable. */
  stop(): void;
  /**
   * Raises the rate, and takes it back after a while; without `start`, it ends then. A change of rate begins the series anew,
   * because V8 forgets its samples; until two windows are complete, `sites()` answers what was known before.
   */
  lookCloser(look?: CloserLook): boolean;
  /** Takes one reading into the series: under a millisecond, no collection. One less than 250 ms after the last is left out. */
  read(): void;
  /** Surest growth first, then fastest, then what holds most. Reads source maps once per function, in a worker. Never rejects. */
  sites(): Promise<HeapSite[]>;
  /** Everything of the last read, most bytes first. */
  stacks(): Promise<HeapStack[]>;
  status(): HeapSamplingStatus;
}
