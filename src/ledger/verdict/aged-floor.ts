import type { GroupReading } from './detector-sample.js';
import type { Evidence } from './evidence.js';
import { FloorWindows, isSteadyGrowth } from './floor-windows.js';
import type { MomentHistory } from './moment.js';
import type { Trend } from './robust-trend.js';
import { parameters } from './verdict-parameters.js';

/**
 * How many of one line have outlived the lives seen there, as floors of windows of four lengths. Bursts, sawteeth, short
 * lives and the traffic's ups and downs do not lift that floor; a leak does.
 */
export class AgedFloor {
  private readonly base = new FloorWindows(parameters.baseWindowMs);
  private readonly short = new FloorWindows(parameters.shortWindowMs);
  private readonly middle = new FloorWindows(parameters.middleWindowMs);
  private readonly long = new FloorWindows(parameters.longWindowMs);
  private gate = parameters.ageMinMs;
  private baseGood = 0;
  private shortGood = 0;
  private found: { windows: FloorWindows; trend: Trend; closedAtMs: number } | null = null;

  /** Older than this is aged. The reading must have been taken with it. */
  get gateMs(): number {
    return this.gate;
  }

  /** Whether a verdict could be reached by now. */
  get isFilled(): boolean {
    return this.short.count >= parameters.windowsNeeded;
  }

  /** @returns whether the gate has moved, so that what is aged from the next reading on is not comparable */
  push(atMs: number, reading: GroupReading): boolean {
    if (this.base.push(atMs, reading.aged))
      this.baseGood = this.check(this.base, atMs, reading) ? this.baseGood + 1 : 0;
    if (this.short.push(atMs, reading.aged))
      this.shortGood = this.check(this.short, atMs, reading) ? this.shortGood + 1 : 0;
    if (this.middle.push(atMs, reading.aged)) this.check(this.middle, atMs, reading);
    if (this.long.push(atMs, reading.aged)) this.check(this.long, atMs, reading);
    if (this.found && atMs - this.found.closedAtMs > 2 * this.found.windows.lengthMs) this.found = null;
    return this.moveGate(reading);
  }

  /** Null: nothing, or nothing any more. */
  evidence(reading: GroupReading, history: MomentHistory): Evidence | null {
    const { found } = this;
    if (!found) return null;
    const { windows, trend } = found;
    const informed = (reading.lives?.count ?? 0) >= parameters.livesKnown;
    const perWork = this.perWork(history);
    const counts = windows === this.middle || windows === this.long || this.shortGood >= parameters.shortWindowsGood;
    return {
      ground: 'aged',
      strength: informed && counts ? 1 + trend.tau : parameters.growingShare,
      growth: trend.growth,
      spanMs: parameters.windowsKept * windows.lengthMs,
      ratePerMs: trend.slope,
      ...(perWork && { perWork }),
    };
  }

  /**
   * How many of the work done at the time grew old. What is aged by now was made at least the gate ago; the work is that of
   * the time between, and both halves of it have to tell the same.
   */
  private perWork(history: MomentHistory): Evidence['perWork'] {
    const { windows, closedAtMs } = this.found!;
    const { values } = windows;
    const madeAt = (index: number): number => closedAtMs - this.gate - (values.length - 1 - index) * windows.lengthMs;
    const last = values.length - 1;
    const middle = last >> 1;
    let best: { unit: number; factor: number } | undefined;
    for (let unit = 0; unit < history.unitCount; unit++) {
      const factorOf = (from: number, to: number): number => {
        const work = history.workAt(madeAt(to), unit) - history.workAt(madeAt(from), unit);
        return work < parameters.tiedWork ? 0 : (values[to]! - values[from]!) / work;
      };
      const factor = factorOf(0, last);
      const isEven = [factorOf(0, middle), factorOf(middle, last)].every(
        (half) => half >= factor / parameters.halvesAlike && half <= factor * parameters.halvesAlike,
      );
      if (factor >= parameters.perWorkLeast && isEven && (!best || factor > best.factor)) best = { unit, factor };
    }
    return best && best.factor <= parameters.perWorkMost ? best : undefined;
  }

  private check(windows: FloorWindows, atMs: number, reading: GroupReading): boolean {
    const trend = windows.trend();
    if (
      trend === null ||
      !isSteadyGrowth(trend, leastGrowth(windows, reading)) ||
      isTurnover(trend, windows, reading)
    ) {
      if (this.found?.windows === windows) this.found = null;
      return false;
    }
    // Eight windows of 10 s are what a burst takes: they count when they stay good for a minute.
    if (windows === this.base && this.baseGood < parameters.windowsNeeded - 1) return true;
    // The longest scale that sees it tells the rate best.
    if (this.found === null || windows.lengthMs >= this.found.windows.lengthMs)
      this.found = { windows, trend, closedAtMs: atMs };
    return true;
  }

  private moveGate({ lives, kindLives }: GroupReading): boolean {
    const known = lives ?? kindLives;
    if (!known) return false;
    // Where some live far longer than most, a few live far longer than those.
    const tail = known.p95Ms / Math.max(1, known.medianMs) / parameters.ageTail;
    const factor = parameters.ageFactor * Math.min(parameters.ageTailMost, Math.max(1, tail));
    const wanted = Math.min(parameters.ageMaxMs, Math.max(parameters.ageMinMs, factor * known.p95Ms));
    const change = wanted / this.gate;
    if (change < parameters.ageRiseFactor && change > parameters.ageDropFactor) return false;
    this.gate = wanted;
    for (const windows of [this.base, this.short, this.middle, this.long]) windows.restart();
    this.found = null;
    this.baseGood = 0;
    this.shortGood = 0;
    return true;
  }
}

function leastGrowth(windows: FloorWindows, reading: GroupReading): number {
  const ofLive =
    windows.lengthMs >= parameters.middleWindowMs ? parameters.growthShareOfLiveLong : parameters.growthShareOfLive;
  const absolute = reading.inBytes ? parameters.heapGrowthBytes : parameters.growthItems;
  return Math.max(
    absolute,
    parameters.growthShare * windows.level,
    ofLive * reading.live,
    parameters.errorFactor * reading.error,
  );
}

/**
 * Whether the growth may as well be chance: where some that old do end, those that come and those that go differ by about the
 * root of their number. A leak's never end.
 */
function isTurnover({ growth }: Trend, windows: FloorWindows, { inBytes }: GroupReading): boolean {
  if (inBytes) return false;
  const came = growth + windows.fallen;
  return growth < parameters.turnoverFactor * Math.sqrt(came + windows.fallen);
}
