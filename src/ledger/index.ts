import type { LedgerOptions } from './ledger.options.js';
import type { LedgerSnapshot } from './ledger-snapshot.js';
import { theLedger } from './the-ledger.js';
import type { ClosedBy } from './track-resource.js';

export type { LedgerOptions } from './ledger.options.js';
export type * from './ledger-snapshot.js';
export type { ClosedBy } from './track-resource.js';
export type * from './heap/heap-sampling.js';
export { heapSampling } from './heap/the-heap-sampler.js';

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

/** What is alive now, in the running code's positions (or the sources', where somebody has asked for them before). */
export function ledgerSnapshot(): LedgerSnapshot {
  return theLedger.snapshot();
}

/** What is alive now, in the positions of the sources. Reads source maps in a short-lived worker, once per line. */
export function ledgerReport(): Promise<LedgerSnapshot> {
  return theLedger.report();
}

/**
 * Counts a resource of your own, under the line that calls this.
 * @param options.closedBy what ends it; without it, call what is returned
 * @returns ends it by hand; a second call does nothing
 */
export function trackResource(kind: string, object: object, options: { closedBy?: ClosedBy } = {}): () => void {
  return theLedger.track(kind, object, options.closedBy);
}
