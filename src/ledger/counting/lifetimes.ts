const KEPT_COUNT = 32;

/** A uniform reservoir of closed lifetimes in milliseconds: how long what is made here normally lives. */
export class Lifetimes {
  private readonly keptMs: number[] = [];
  private seenCount = 0;

  add(lifetimeMs: number): void {
    this.seenCount++;
    if (this.keptMs.length < KEPT_COUNT) this.keptMs.push(lifetimeMs);
    else {
      const place = Math.floor(Math.random() * this.seenCount);
      if (place < KEPT_COUNT) this.keptMs[place] = lifetimeMs;
    }
  }

  get count(): number {
    return this.seenCount;
  }

  /** Those that were kept, in no order. */
  get kept(): readonly number[] {
    return this.keptMs;
  }

  /** Null while nothing has closed. */
  summary(): { closedCount: number; median: number; p95: number } | null {
    if (this.keptMs.length === 0) return null;
    const sorted = [...this.keptMs].sort((a, b) => a - b);
    const at = (share: number): number =>
      Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
    return { closedCount: this.seenCount, median: at(0.5), p95: at(0.95) };
  }
}
