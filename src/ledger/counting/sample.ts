import type { Group } from './group.js';
import { LedgerRecord, type RecordCounter } from './record-slot.js';

/** The counter of a kind, as the samples of it see it. */
export interface SampleCounter extends RecordCounter {
  collected(sample: Sample): void;
  /** It now stands for `factor` times as many, or for none. */
  reweigh(sample: Sample, factor: 0 | 2): void;
  /** Watched no more, though it lives on. */
  abandon(sample: Sample): void;
}

/** One live resource the ledger watches by itself: for ages, for collection without close, for kinds that must be polled. */
export class Sample extends LedgerRecord {
  declare counter: SampleCounter | null;
  declare group: Group | null;
  /** Place in the table of its kind. */
  index = -1;
  /** When it will end by itself, on the clock of `birthMs`; 0 when it will not. */
  dueMs = 0;

  constructor(
    counter: SampleCounter,
    group: Group,
    weight: number,
    readonly ref: WeakRef<object>,
    /** `performance.now()` of its creation. */
    readonly birthMs: number,
    /** How many captured resources this one stands for in the table. */
    public tableWeight: number,
    public bytes: number,
  ) {
    super(counter, group, weight);
  }
}
