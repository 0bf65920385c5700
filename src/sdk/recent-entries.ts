/** Bounds of a {@link RecentEntries}. */
export interface RecentLimits {
  maxCount: number;
  maxAgeMs: number;
  /** Sum of the weights, whatever unit they have. */
  maxWeight?: number;
}

interface Entry<Value> {
  value: Value;
  weight: number;
  expiresAt: number;
}

/** Remembers what was set lately, bounded by count, age and weight. The oldest goes first; no timer. */
export class RecentEntries<Value> {
  // Insertion order is age order: set() moves a key to the end.
  private readonly entries = new Map<string, Entry<Value>>();
  private weight = 0;

  constructor(private readonly limits: RecentLimits) {}

  get count(): number {
    return this.entries.size;
  }

  get(key: string): Value | undefined {
    const entry = this.entries.get(key);
    return entry !== undefined && entry.expiresAt > performance.now() ? entry.value : undefined;
  }

  set(key: string, value: Value, weight = 0): void {
    const { maxAgeMs, maxCount, maxWeight = Number.POSITIVE_INFINITY } = this.limits;
    const now = performance.now();
    this.delete(key);
    this.entries.set(key, { value, weight, expiresAt: now + maxAgeMs });
    this.weight += weight;
    for (const [oldest, entry] of this.entries) {
      if (this.entries.size <= maxCount && this.weight <= maxWeight && entry.expiresAt > now) break;
      this.delete(oldest);
    }
  }

  private delete(key: string): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    this.entries.delete(key);
    this.weight -= entry.weight;
  }
}
