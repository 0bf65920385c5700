import { type Trend, trendOf } from './robust-trend.js';
import { parameters } from './verdict-parameters.js';

/** When something that grows meets its limit, in milliseconds from now. */
export interface Forecast {
  /** Null: it does not grow by more than its noise. */
  readonly etaMs: number | null;
  readonly etaLowMs: number | null;
  /** Null where `etaMs` is. */
  readonly etaHighMs: number | null;
}

const NEVER: Forecast = { etaMs: null, etaLowMs: null, etaHighMs: null };

/** The course of one amount: the last minutes finely, the last hour coarsely. */
export class AmountForecast {
  private readonly fine = new Course(parameters.tickMs);
  private readonly coarse = new Course(parameters.forecastCoarseMs);

  /** @param leastGrowth below it the amount counts as level */
  constructor(private readonly leastGrowth: number) {}

  push(atMs: number, value: number): void {
    this.fine.push(atMs, value);
    this.coarse.push(atMs, value);
  }

  /** @param limit in the unit of the values. @param spanMs how far back the growth in question reaches */
  until(limit: number, spanMs: number): Forecast {
    const course = spanMs > parameters.forecastLength * parameters.tickMs ? this.coarse : this.fine;
    const line = course.line(spanMs);
    // A slope that may as well be none foretells nothing.
    if (line === null || line.trend.growth < this.leastGrowth || line.trend.slopeLow <= 0) return NEVER;
    const left = Math.max(0, limit - line.level);
    const at = (perMs: number): number | null => (perMs > 0 ? left / perMs : null);
    const { slope, slopeLow, slopeHigh } = line.trend;
    return { etaMs: at(slope), etaLowMs: at(slopeHigh), etaHighMs: at(slopeLow) };
  }
}

class Course {
  private readonly atMs: number[] = [];
  private readonly values: number[] = [];

  constructor(private readonly everyMs: number) {}

  push(atMs: number, value: number): void {
    const last = this.atMs[this.atMs.length - 1];
    // Ticks come a few milliseconds early or late.
    if (last !== undefined && atMs - last < 0.9 * this.everyMs) return;
    this.atMs.push(atMs);
    this.values.push(value);
    if (this.atMs.length <= parameters.forecastLength) return;
    this.atMs.shift();
    this.values.shift();
  }

  line(spanMs: number): { trend: Trend; level: number } | null {
    const last = this.atMs[this.atMs.length - 1] ?? 0;
    const first = this.atMs.findIndex((atMs) => last - atMs <= spanMs + this.everyMs / 2);
    const xs = this.atMs.slice(Math.max(0, first));
    const ys = this.values.slice(Math.max(0, first));
    if (xs.length < parameters.forecastLeast) return null;
    const trend = trendOf(xs, ys, parameters.forecastZ);
    // Where the line is now, not where the last reading happened to lie.
    const levels = ys.map((y, index) => y - trend.slope * (xs[index]! - last)).sort((a, b) => a - b);
    return { trend, level: levels[levels.length >> 1]! };
  }
}
