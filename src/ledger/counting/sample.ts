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

/** In place of what is over. */
const nothing = { deref: (): undefined => undefined };

/** One live resource the ledger watches by itself: for ages, for collection without close, for kinds that must be polled. */
export class Sample extends LedgerRecord {
  declare counter: SampleCounter | null;
  declare group: Group | null;
  /** Place in the table of its kind. */
  index = -1;
  /** When it will end by itself, on the clock of `birthMs`; 0 when it will not. */
  dueMs = 0;
  /** Finds the resource while it is watched and alive. */
  ref: { deref(): object | undefined };

  constructor(
    counter: SampleCounter,
    group: Group,
    weight: number,
    ref: WeakRef<object>,
    /** `performance.now()` of its creation. */
    readonly birthMs: number,
    /** How many captured resources this one stands for in the table. */
    public tableWeight: number,
    public bytes: number,
  ) {
    super(counter, group, weight);
    this.ref = ref;
  }

  /**
   * Watched no more. Lets go of the resource: V8 (up to Node 24) keeps what was unregistered from a FinalizationRegistry until the
   * next full collection, and until then a WeakRef in it would carry the resource, with all it holds, into the old generation.
   * Enough of them, and V8 takes everything made on the same lines for long-lived.
   */
  end(): void {
    this.counter = null;
    this.ref = nothing;
  }
}
