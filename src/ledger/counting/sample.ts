import { LedgerRecord } from './record-slot.js';
import type { Group } from './group.js';
import type { KindCounter } from './kind-counter.js';

/** One live resource the ledger watches by itself: for ages, for collection without close, for kinds that must be polled. */
export class Sample extends LedgerRecord {
  /** Place in the table of its kind. */
  index = -1;

  constructor(
    counter: KindCounter,
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
