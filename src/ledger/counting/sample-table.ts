import { recordOf, writeRecord } from './record-slot.js';
import type { Sample, SampleCounter } from './sample.js';

/** Room for samples over all kinds. */
export class SampleBudget {
  usedCount = 0;

  constructor(
    readonly maxCount: number,
    readonly maxCountPerKind: number,
  ) {}
}

/** The resources of one kind that are watched one by one: a random subset once there are too many. */
export class SampleTable {
  readonly list: Sample[] = [];
  /** One in how many captured resources is admitted: a power of two. */
  private admission = 1;

  constructor(
    private readonly counter: SampleCounter,
    private readonly budget: SampleBudget,
    private readonly tables: readonly SampleTable[],
    private readonly random: () => number = Math.random,
  ) {}

  /** Draws whether the next resource gets a sample: 0, or how many it stands for. */
  admit(): number {
    if (this.admission === 1) return 1;
    if (this.list.length < this.budget.maxCountPerKind / 8 && this.budget.usedCount < this.budget.maxCount / 2) {
      this.admission /= 2;
    }
    return this.random() * this.admission < 1 ? this.admission : 0;
  }

  add(sample: Sample): void {
    sample.index = this.list.length;
    this.list.push(sample);
    this.budget.usedCount++;
    if (this.list.length > this.budget.maxCountPerKind) this.halve();
    else if (this.budget.usedCount > this.budget.maxCount) largest(this.tables).halve();
  }

  remove(sample: Sample): void {
    const { index } = sample;
    if (this.list[index] !== sample) return;
    const last = this.list.pop() as Sample;
    if (last !== sample) {
      this.list[index] = last;
      last.index = index;
    }
    sample.index = -1;
    this.budget.usedCount--;
  }

  clear(): void {
    this.budget.usedCount -= this.list.length;
    this.list.length = 0;
  }

  /** Drops each sample with probability ½ and doubles what the others stand for: the estimates stay unbiased. */
  private halve(): void {
    this.admission *= 2;
    const kept = this.list.splice(0);
    this.budget.usedCount -= kept.length;
    for (const sample of kept) {
      const keep = this.random() < 0.5;
      if (this.counter.estimated) this.counter.reweigh(sample, keep ? 2 : 0);
      else sample.tableWeight *= 2;
      if (keep) {
        sample.index = this.list.length;
        this.list.push(sample);
      } else this.drop(sample);
    }
    this.budget.usedCount += this.list.length;
  }

  private drop(sample: Sample): void {
    const object = sample.ref.deref();
    if (object && recordOf(object) === sample) {
      // Its close is still seen, through the record it now shares: only its age and its collection are not.
      const share = this.counter.estimated ? undefined : sample.group?.share(sample.weight);
      writeRecord(object, share);
    }
    this.counter.abandon(sample);
  }
}

function largest(tables: readonly SampleTable[]): SampleTable {
  return tables.reduce((most, table) => (table.list.length > most.list.length ? table : most));
}
