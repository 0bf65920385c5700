import type { LeakFindings } from './ledger.js';
import type { LedgerOptions } from './ledger.options.js';
import type { LedgerCounts, LedgerSnapshot, LedgerStatus } from './ledger-snapshot.js';
import { type RssSplit, rssSplit } from './process/rss-split.js';
import { theLedger } from './the-ledger.js';
import type { ClosedBy } from './track-resource.js';
import type { DeclaredCeiling } from './verdict/declared-ceilings.js';

export type { LeakFindings } from './ledger.js';
export type { LedgerOptions } from './ledger.options.js';
export type * from './ledger-snapshot.js';
export type { RssSplit } from './process/rss-split.js';
export type { ClosedBy } from './track-resource.js';
export type * from './heap/heap-sampling.js';
export { heapSampling } from './heap/the-heap-sampler.js';
export type { DeclaredCeiling } from './verdict/declared-ceilings.js';
export type { Finding, FindingLimit } from './verdict/finding.js';

/**
 * Starts counting what the process opens and which line opened it. Running already: nothing happens. What was opened before
 * is not known, so start first: `node --require mu-commander/register` does. Never throws.
 */
export function startLedger(options: LedgerOptions = {}): void {
  theLedger.start(options);
}

/** Stops counting and leaves nothing behind: hooks, listeners, timers and tables are gone. Never throws. */
export function stopLedger(): void {
  theLedger.stop();
}

/** Whether it counts, what that costs, and what it could not do. Costs O(kinds). */
export function ledgerStatus(): LedgerStatus {
  return theLedger.status();
}

/** What is alive now, in the sources' positions where they are known already, and else in those of the running code. */
export function ledgerSnapshot(): LedgerSnapshot {
  return theLedger.snapshot();
}

/** What is alive now, in the positions of the sources. Reads the source maps that were not read yet; large ones in a worker. */
export function ledgerReport(): Promise<LedgerSnapshot> {
  return theLedger.report();
}

/** The report without what only the resources themselves tell (ages, lifetimes): costs O(groups), where the others cost O(groups + samples). */
export function ledgerCounts(): Promise<LedgerCounts> {
  return theLedger.counts();
}

/** The same, with positions as {@link ledgerSnapshot} has them. */
export function ledgerCountsNow(): LedgerCounts {
  return theLedger.countsNow();
}

/**
 * Counts a resource of your own, under the line that calls this.
 * @param options.closedBy what ends it; without it, call what is returned
 * @returns ends it by hand; a second call does nothing
 */
export function trackResource(kind: string, object: object, options: { closedBy?: ClosedBy } = {}): () => void {
  return theLedger.track(kind, object, options.closedBy);
}

/**
 * Work was finished (a command, a job, a page crawled): growth is held against it, and told as "1.00 per crawl". Requests of
 * Node's HTTP servers are counted without this. Count what is finished, not what is begun. Costs nothing worth measuring.
 * @param unit singular, as it is to be read after "per"; the first four count
 */
export function countWork(unit: string, count = 1): void {
  theLedger.countWork(unit, count);
}

/** Work that was finished since the start, by unit. */
export function workCounts(): Record<string, number> {
  return theLedger.workCounts();
}

/**
 * Declares that there are at most so many of a kind, at one place or at each: more is told as leaking at once, growth below
 * it as healthy. Silences nothing else.
 * @throws RangeError when `atMost` is no whole number, or for more than 256 ceilings
 */
export function expectAtMost(ceiling: DeclaredCeiling): void {
  theLedger.expectAtMost(ceiling);
}

/** What leaks, by the last look of the detector (every 5 s). Sites are those of the groups with the same id. */
export function leakFindings(): LeakFindings {
  return theLedger.findings();
}

/** Resident memory by what holds it, read now (75 µs). Never throws. */
export function processMemory(): RssSplit {
  return rssSplit();
}
