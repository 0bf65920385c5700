import { parameters } from './verdict-parameters.js';

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

/** Moments of the last hours, for growth that is seen only long after the work that caused it. */
export class MomentHistory {
  private readonly kept: Moment[] = [];
  push(moment: Moment): void {
    const last = this.kept[this.kept.length - 1];
    if (last && moment.atMs - last.atMs < parameters.historyEveryMs) return;
    this.kept.push(moment);
    if (this.kept.length > parameters.historyLength) this.kept.shift();
  }

  /** Those of the last so many milliseconds, and the one before them. */
  since(spanMs: number): readonly Moment[] {
    const lastMs = this.kept[this.kept.length - 1]?.atMs ?? 0;
    const first = this.kept.findIndex(({ atMs }) => atMs > lastMs - spanMs);
    return this.kept.slice(Math.max(0, first - 1));
  }

  get unitCount(): number {
    return this.kept[this.kept.length - 1]?.work.length ?? 0;
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

/**
 * By how much the pace of the work rose, as a share: that of the last third of the time over that of the first, less 1, for
 * the unit where it rose most. 0 where it did not, or there was none.
 */
export function workRise(moments: readonly Moment[]): number {
  const last = moments.length - 1;
  const third = Math.floor(last / 3);
  if (third < 1) return 0;
  const pace = (from: number, to: number, unit: number): number => {
    const work = (moments[to]!.work[unit] ?? 0) - (moments[from]!.work[unit] ?? 0);
    return work < parameters.tiedWork ? 0 : work / (moments[to]!.atMs - moments[from]!.atMs);
  };
  let most = 0;
  for (let unit = 0; unit < moments[last]!.work.length; unit++) {
    const before = pace(0, third, unit);
    if (before > 0) most = Math.max(most, pace(last - third, last, unit) / before - 1);
  }
  return most;
}
