import type { GroupReading } from './detector-sample.js';
import type { Evidence } from './evidence.js';
import { FloorWindows, isSteadyGrowth } from './floor-windows.js';
import { type Moment, type MomentHistory, workRise } from './moment.js';
import { parameters } from './verdict-parameters.js';

/**
 * A line whose resources end as they should and are made again, more of them all the time: chains of timers that each renew
 * themselves, clients that each connect again. What is alive says little there; the pace at which they are made tells how many
 * chains there are, as far as the work goes on at its own pace.
 */
export class Renewal {
  private readonly paces = new FloorWindows(parameters.shortWindowMs);
  private before: { atMs: number; opened: number } | null = null;
  private windowPace: number | null = null;

  push({ atMs }: Moment, { opened }: GroupReading): void {
    this.before ??= { atMs, opened };
    const elapsedMs = atMs - this.before.atMs;
    if (elapsedMs >= parameters.shortWindowMs) {
      this.windowPace = (opened - this.before.opened) / elapsedMs;
      this.before = { atMs, opened };
    }
    if (this.windowPace !== null) this.paces.push(atMs, this.windowPace);
  }

  /**
   * Null: none.
   * @param isTold already: then it only has to go on
   */
  evidence(reading: GroupReading, history: MomentHistory, isTold: boolean): Evidence | null {
    const { lives } = reading;
    const trend = this.paces.trend();
    if (!lives || lives.count < parameters.livesKnown || trend === null || reading.nature === 'inbound') return null;
    const spanMs = this.paces.count * parameters.shortWindowMs;
    const first = this.paces.level - trend.growth;
    // As many chains as would be made in the time that one link of them lives.
    const growth = trend.growth * lives.medianMs;
    if (spanMs < parameters.ageFactor * lives.p95Ms || growth < parameters.fewestItems) return null;
    if (!isTold && trend.growth < parameters.renewalFactor * Math.max(0, first)) return null;
    if (!isSteadyGrowth(trend, 0) || !isEvenWork(history, spanMs)) return null;
    return { ground: 'renewed', strength: 1 + trend.tau, growth, spanMs, ratePerMs: growth / spanMs };
  }
}

/** Work was done all the time, at a pace that did not rise. Without any there is nothing to tell traffic from a leak by. */
function isEvenWork(history: MomentHistory, spanMs: number): boolean {
  const moments = history.since(spanMs);
  const [first, middle, last] = [moments[0]!, moments[moments.length >> 1]!, moments[moments.length - 1]!];
  const isBusy = last.work.some((count, unit) => {
    const half = middle.work[unit] ?? 0;
    return half - (first.work[unit] ?? 0) >= parameters.tiedWork && count - half >= parameters.tiedWork;
  });
  return isBusy && workRise(moments) <= parameters.renewalWorkRise;
}
