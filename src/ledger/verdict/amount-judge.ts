import { besideTraffic, type Evidence } from './evidence.js';
import { FloorWindows, isSteadyGrowth } from './floor-windows.js';
import { bendAllowed, bendOf } from './growth-trace.js';
import type { Moment, MomentHistory } from './moment.js';
import { KnownPeak } from './known-peak.js';
import { type Trend, trendOf } from './robust-trend.js';
import { parameters } from './verdict-parameters.js';
import { VerdictState } from './verdict-state.js';

/** What is judged as an amount of bytes. */
export interface AmountReading {
  readonly bytes: number;
  /** After the last full collection; null when that does not matter, or there was none yet. */
  readonly collectedBytes: number | null;
}

interface CollectedPoint {
  readonly moment: Moment;
  readonly bytes: number;
}

/** Judges the floor of an amount of memory. */
export class AmountJudge {
  readonly standing = new VerdictState();
  bytes = 0;
  private readonly windows = [
    new FloorWindows(parameters.baseWindowMs),
    new FloorWindows(parameters.shortWindowMs),
    new FloorWindows(parameters.middleWindowMs),
    new FloorWindows(parameters.longWindowMs),
  ] as const;
  private readonly good = [0, 0, 0, 0];
  private readonly collected: CollectedPoint[] = [];
  private found: { trend: Trend; spanMs: number; scale: number } | null = null;
  private begunMs: number | null = null;
  private readonly peaks = new KnownPeak(parameters.heapLeakBytes);
  private collectionsSeen = 0;

  /** @param isCollected garbage counts in it until the collector has run */
  constructor(
    private readonly isCollected: boolean,
    private readonly leastGrowthBytes: number,
    private readonly history: MomentHistory,
  ) {}

  /** @param onsetMs when more work began than ever before: what warms up with it is left out; null: never */
  take({ bytes, collectedBytes }: AmountReading, moment: Moment, onsetMs: number | null): void {
    this.bytes = bytes;
    const begunMs = Math.max(this.begunMs ?? moment.atMs, onsetMs ?? -Infinity);
    if (begunMs !== this.begunMs) this.beginAnew(begunMs);
    const isWarm = moment.atMs - begunMs >= parameters.heapWarmMs;
    if (isWarm) {
      this.pushWindows(moment.atMs, bytes);
      if (collectedBytes !== null) this.pushCollected(moment, collectedBytes);
    }
    const live = collectedBytes ?? bytes;
    if (isWarm) this.peaks.learn(live);
    const evidence = this.evidence(live);
    const isFresh = !this.isCollected || moment.collections > this.collectionsSeen;
    this.collectionsSeen = moment.collections;
    this.standing.take({
      moment,
      live,
      aged: live,
      // Between two collections it is at most what is in use.
      reach: isFresh ? live : Math.max(live, bytes),
      opened: 0,
      level: evidence ? live - evidence.growth : bytes,
      evidence,
      isDecidable: this.windows[1].count >= parameters.windowsNeeded,
      smallest: this.leastGrowthBytes,
    });
    if (this.standing.hasJustRetracted) this.collected.length = 0;
  }

  private beginAnew(atMs: number): void {
    this.begunMs = atMs;
    for (const windows of this.windows) windows.restart();
    this.good.fill(0);
    this.collected.length = 0;
    this.found = null;
  }

  private pushWindows(atMs: number, bytes: number): void {
    for (const [scale, windows] of this.windows.entries()) {
      if (!windows.push(atMs, bytes)) continue;
      const trend = windows.trend();
      const least = Math.max(this.leastGrowthBytes, parameters.heapGrowthShare * windows.level);
      const isGood = trend !== null && isSteadyGrowth(trend, least);
      this.good[scale] = isGood ? this.good[scale]! + 1 : 0;
      if (isGood) {
        if (this.found === null || this.found.scale <= scale)
          this.found = { trend, scale, spanMs: windows.lengthMs * parameters.windowsKept };
      } else if (this.found?.scale === scale) this.found = null;
    }
  }

  private pushCollected(moment: Moment, bytes: number): void {
    const { collected } = this;
    const last = collected[collected.length - 1];
    if (last && last.moment.collections === moment.collections) return;
    if (collected.length > 0 && bytes <= collected[0]!.bytes) collected.length = 0;
    collected.push({ moment, bytes });
    if (collected.length <= 2 * parameters.traceSpaced) return;
    collected.splice(
      0,
      collected.length,
      ...collected.filter((_, index) => index % 2 === 0 || index > parameters.traceSpaced),
    );
  }

  private evidence(live: number): Evidence | null {
    const byCollections = this.isCollected
      ? this.doubted(this.besideTraffic(this.collectedEvidence(), live), live)
      : null;
    const byWindows = this.windowEvidence(byCollections, live);
    if (byWindows === null || (byCollections && byCollections.strength >= 1)) return byCollections ?? byWindows;
    return byWindows;
  }

  private windowEvidence(byCollections: Evidence | null, live: number): Evidence | null {
    const { found, good } = this;
    if (!found) return null;
    const { trend, spanMs, scale } = found;
    if (scale === 0 && good[0]! < parameters.heapBaseGood) return null;
    const lasting = good[1]! >= parameters.shortWindowsGood || good[2]! > 0 || good[3]! > 0;
    // Between two collections garbage rises as straight as a leak.
    const isProven = !this.isCollected || byCollections !== null;
    const strength = lasting && isProven ? 1 + trend.tau : parameters.growingShare;
    const tie = byCollections?.tie;
    const evidence: Evidence = {
      ground: 'level',
      strength,
      growth: trend.growth,
      spanMs,
      ratePerMs: trend.slope,
      ...(tie && { tie }),
    };
    const beside = this.besideTraffic(evidence, live);
    // The longer scales have seen what it came down from.
    return scale >= 2 ? beside : this.doubted(beside, live);
  }

  /** What was reached once and given back is no leak when it is reached again. */
  private doubted(evidence: Evidence | null, live: number): Evidence | null {
    if (evidence === null || !this.peaks.isWithin(live)) return evidence;
    return { ...evidence, strength: Math.min(evidence.strength, parameters.growingShare / 2) };
  }

  private besideTraffic(evidence: Evidence | null, live: number): Evidence | null {
    return evidence && besideTraffic(evidence, live - evidence.growth, this.history);
  }

  /** A rise that full collections leave behind. */
  private collectedEvidence(): Evidence | null {
    const points = this.collected;
    if (points.length < parameters.heapCollections) return null;
    const [first, last] = [points[0]!, points[points.length - 1]!];
    const growth = last.bytes - first.bytes;
    const spanMs = last.moment.atMs - first.moment.atMs;
    if (growth < this.leastGrowthBytes || growth < parameters.heapGrowthShare * first.bytes) return null;
    const xs = points.map(({ moment }) => moment.atMs);
    const ys = points.map(({ bytes }) => bytes);
    const trend = trendOf(xs, ys);
    if (trend.tau < parameters.tau) return null;
    const overTime = bendOf(xs, ys);
    const tie = tieOf(points, ys, growth);
    if (overTime.above > parameters.bendMost && tie === undefined) return null;
    const isLarge = growth >= parameters.heapLeakBytes && growth >= parameters.growthShare * first.bytes;
    const lasting = Math.min(spanMs / parameters.heapLeakMs, areaOf(xs, ys) / 1_000 / parameters.heapLeakByteSeconds);
    const isPlain = isLarge && trend.laterHalf >= parameters.laterHalf;
    const strength = isPlain ? lasting : Math.min(parameters.growingShare, spanMs / parameters.heapLeakMs);
    return { ground: 'level', strength, growth, spanMs, ratePerMs: trend.slope, ...(tie && { tie }) };
  }
}

/** How far above where it began it was, times how long. */
function areaOf(xs: readonly number[], ys: readonly number[]): number {
  let area = 0;
  for (let index = 1; index < xs.length; index++)
    area += (xs[index]! - xs[index - 1]!) * ((ys[index]! + ys[index - 1]!) / 2 - ys[0]!);
  return area;
}

function tieOf(points: readonly CollectedPoint[], ys: readonly number[], growth: number) {
  const last = points[points.length - 1]!;
  let best: { unit: number; factor: number; bend: number } | undefined;
  for (let unit = 0; unit < last.moment.work.length; unit++) {
    const xs = points.map(({ moment }) => moment.work[unit] ?? 0);
    const work = xs[xs.length - 1]! - xs[0]!;
    if (work < parameters.tiedWork) continue;
    const { above, below } = bendOf(xs, ys);
    const bend = Math.max(above, below);
    if (bend <= bendAllowed(points.length) && (best === undefined || bend < best.bend))
      best = { unit, factor: growth / work, bend };
  }
  return best && { unit: best.unit, factor: best.factor };
}
