/** What all lines share at one tick: kept once, pointed at by every trace. */
export interface Moment {
  readonly atMs: number;
  /** Work finished so far, by the place of its unit in the detector's list. */
  readonly work: readonly number[];
  /** How little each of these units says, in the same order. */
  readonly vagueness: readonly number[];
  readonly collections: number;
  readonly inbound: number;
}

/** Moments of the last hour or two, for growth that is seen only long after the work that caused it. */
export class MomentHistory {
  private readonly kept: Moment[] = [];
  private readonly everyMs = 30_000;
  private readonly length = 512;

  push(moment: Moment): void {
    const last = this.kept[this.kept.length - 1];
    if (last && moment.atMs - last.atMs < this.everyMs) return;
    this.kept.push(moment);
    if (this.kept.length > this.length) this.kept.shift();
  }

  /** Work finished by then, between the moments kept. */
  workAt(atMs: number, unit: number): number {
    const { kept } = this;
    if (kept.length === 0) return 0;
    let low = 0;
    let high = kept.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (kept[middle]!.atMs <= atMs) low = middle;
      else high = middle - 1;
    }
    const [before, after] = [kept[low]!, kept[Math.min(kept.length - 1, low + 1)]!];
    const span = after.atMs - before.atMs;
    const share = span > 0 ? Math.min(1, Math.max(0, (atMs - before.atMs) / span)) : 0;
    const [from, to] = [before.work[unit] ?? 0, after.work[unit] ?? 0];
    return from + share * (to - from);
  }
}
