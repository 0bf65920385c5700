import type { HistorySample } from '../../contract/recorder.schema.js';
import { mergedSample } from './merged-sample.js';

const FINE_SPAN_MS = 3_600_000;
const COARSE_SPAN_MS = 24 * 3_600_000;
const COARSE_STEP_MS = 240_000;
/** Of each of the two rings; above it the oldest samples go although they are young enough. */
const MAX_RING_BYTES = 512 * 1_024;

/** One sample as JSON: a string costs a third of the object, and its length is what is bounded. */
interface Kept {
  at: number;
  json: string;
}

/**
 * The samples of the last hour as they were taken, and those of the last 24 hours merged to 4 minutes each. Holds at most
 * 1 MiB, whatever is in the samples.
 */
export class HistoryRing {
  private readonly fine = new ByteBoundedQueue();
  private readonly coarse = new ByteBoundedQueue();
  /** Has left `fine` and does not span a whole step yet. */
  private pending: HistorySample | undefined;

  add(sample: HistorySample): void {
    this.fine.push({ at: sample.at, json: JSON.stringify(sample) });
    for (const old of this.fine.takeOld(sample.at - FINE_SPAN_MS)) this.coarsen(JSON.parse(old.json) as HistorySample);
    this.coarse.takeOld(sample.at - COARSE_SPAN_MS);
  }

  /** The samples that end after `from`, oldest first, each as JSON. */
  json(from = 0): string[] {
    const pending: Kept[] =
      this.pending === undefined ? [] : [{ at: this.pending.at, json: JSON.stringify(this.pending) }];
    return [...this.coarse.items, ...pending, ...this.fine.items].filter(({ at }) => at > from).map(({ json }) => json);
  }

  /** The same as objects. */
  samples(from = 0): HistorySample[] {
    return this.json(from).map((json) => JSON.parse(json) as HistorySample);
  }

  last(): HistorySample | null {
    const last = this.fine.items.at(-1);
    return last === undefined ? null : (JSON.parse(last.json) as HistorySample);
  }

  get samplesCount(): number {
    return this.coarse.items.length + (this.pending === undefined ? 0 : 1) + this.fine.items.length;
  }

  /** Length of all that is held, as JSON. */
  get heldBytes(): number {
    return this.fine.heldBytes + this.coarse.heldBytes;
  }

  private coarsen(sample: HistorySample): void {
    const merged = this.pending === undefined ? sample : mergedSample(this.pending, sample);
    this.pending = merged.intervalMs < COARSE_STEP_MS ? merged : undefined;
    if (this.pending === undefined) this.coarse.push({ at: merged.at, json: JSON.stringify(merged) });
  }
}

class ByteBoundedQueue {
  readonly items: Kept[] = [];
  heldBytes = 0;

  push(item: Kept): void {
    this.items.push(item);
    this.heldBytes += item.json.length;
  }

  /** Removes and returns what ended before `oldestAt` or does not fit any more; the newest one always stays. */
  takeOld(oldestAt: number): Kept[] {
    let count = 0;
    while (count < this.items.length - 1 && (this.items[count]!.at < oldestAt || this.heldBytes > MAX_RING_BYTES)) {
      this.heldBytes -= this.items[count]!.json.length;
      count += 1;
    }
    return this.items.splice(0, count);
  }
}
