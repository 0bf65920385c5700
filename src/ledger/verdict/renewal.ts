import type { GroupReading } from './detector-sample.js';
import type { Evidence } from './evidence.js';
import { isSteadyGrowth } from './floor-windows.js';
import { type Moment, type MomentHistory, workRise } from './moment.js';
import { PaceWindows } from './pace-windows.js';
import type { Trend } from './robust-trend.js';
import { parameters } from './verdict-parameters.js';

/**
 * A line whose resources end as they should and are made again, more of them all the time: chains of timers that each renew
 * themselves, clients that each connect again. What is alive says little there; the pace at which they are made tells how many
 * chains there are, as far as the work goes on at its own pace. Three lengths of time: chains that are renewed every few
 * minutes, or of which few come to be, show in the longer ones only. The longest says "growing" at most, and keeps what a
 * shorter one has told.
 */
export class Renewal {
  private readonly scales = [
    new PaceWindows(parameters.shortWindowMs),
    new PaceWindows(parameters.middleWindowMs),
    new PaceWindows(parameters.longWindowMs),
  ] as const;

  push({ atMs }: Moment, { opened }: GroupReading): void {
    for (const paces of this.scales) paces.push(atMs, opened);
  }

  /**
   * Null: none.
   * @param isTold told as leaking already: then it only has to go on
   */
  evidence(reading: GroupReading, history: MomentHistory, isTold: boolean): Evidence | null {
    const { lives, nature } = reading;
    if (!lives || lives.count < parameters.livesKnown || nature === 'inbound') return null;
    let longest: Evidence | null = null;
    for (const paces of this.scales) {
      const evidence = evidenceOf(paces, lives, history, isTold);
      // The longer one tells the rate better.
      if (evidence && evidence.strength >= (longest?.strength ?? 0)) longest = evidence;
    }
    return longest;
  }
}

function evidenceOf(
  paces: PaceWindows,
  lives: NonNullable<GroupReading['lives']>,
  history: MomentHistory,
  isTold: boolean,
): Evidence | null {
  const trend = paces.trend();
  if (trend === null) return null;
  const { spanMs } = paces;
  // As many chains as would be made in the time that one link of them lives.
  const growth = trend.growth * lives.medianMs;
  if (spanMs < parameters.ageFactor * lives.p95Ms || growth < parameters.fewestItems) return null;
  if (!isTold && trend.growth < parameters.renewalFactor * firstOf(trend, paces)) return null;
  if (!isSteadyGrowth(trend, 0)) return null;
  const ratePerMs = trend.slope * lives.medianMs;
  const moments = history.since(spanMs);
  if (workRise(moments) > parameters.renewalWorkRise) return null;
  const perWork = perEvenWork(ratePerMs, moments);
  // Without work that may have begun them there is nothing to tell traffic from a leak by; and what is not counted as work
  // does become several times as much within an hour, on many a morning.
  const isTelling = perWork !== undefined && (isTold || spanMs < parameters.renewalMostMs);
  const strength = isTelling ? 1 + trend.tau : parameters.growingShare;
  return { ground: 'renewed', strength, growth, spanMs, ratePerMs, ...(perWork && { perWork }) };
}

function firstOf({ growth }: Trend, { last }: PaceWindows): number {
  return Math.max(0, last - growth);
}

/** The work that was done all the time, and of which each piece may have begun one of them: closest to one each. */
function perEvenWork(ratePerMs: number, moments: readonly Moment[]): Evidence['perWork'] {
  const [first, middle, last] = [moments[0]!, moments[moments.length >> 1]!, moments[moments.length - 1]!];
  let best: { unit: number; factor: number; rank: number } | undefined;
  for (let unit = 0; unit < last.work.length; unit++) {
    const countOf = ({ work }: Moment): number => work[unit] ?? 0;
    const halves = [countOf(middle) - countOf(first), countOf(last) - countOf(middle)];
    if (halves.some((half) => half < parameters.tiedWork)) continue;
    const factor = (ratePerMs * (last.atMs - first.atMs)) / (countOf(last) - countOf(first));
    if (factor < parameters.tiedFactorLeast || factor > parameters.tiedFactorMany) continue;
    const rank = Math.abs(Math.log(factor)) + (last.vagueness[unit] ?? 0);
    if (!best || rank < best.rank) best = { unit, factor, rank };
  }
  return best && { unit: best.unit, factor: best.factor };
}
