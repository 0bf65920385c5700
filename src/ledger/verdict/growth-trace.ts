import type { Moment } from './moment.js';
import { parameters } from './verdict-parameters.js';

/** How many of one line there were at one moment. */
export interface TracePoint {
  readonly moment: Moment;
  readonly live: number;
  readonly opened: number;
  readonly ended: number;
}

/** Growth of one line since it was last as low as it began: every tick of the last minute, evenly spaced before, bounded. */
export class GrowthTrace {
  private readonly spaced: TracePoint[] = [];
  private readonly recent: TracePoint[] = [];
  private spacingMs: number = parameters.tickMs;

  /** Oldest first. */
  get points(): readonly TracePoint[] {
    return [...this.spaced, ...this.recent];
  }

  get first(): TracePoint {
    return (this.spaced[0] ?? this.recent[0])!;
  }

  push(point: TracePoint): void {
    if (this.recent.length > 0 && point.live <= this.first.live) this.restart();
    this.recent.push(point);
    if (this.recent.length > parameters.traceRecent) this.space(this.recent.shift()!);
  }

  /** How many more there are than so long ago; null when it does not reach so far back. */
  growthOver(spanMs: number): number | null {
    const { points } = this;
    const last = points[points.length - 1];
    const then = last && points.findLast(({ moment }) => last.moment.atMs - moment.atMs >= 0.95 * spanMs);
    return then && last ? last.live - then.live : null;
  }

  restart(): void {
    this.spaced.length = 0;
    this.recent.length = 0;
    this.spacingMs = parameters.tickMs;
  }

  private space(point: TracePoint): void {
    const { spaced } = this;
    const last = spaced[spaced.length - 1];
    // Ticks come a few milliseconds early or late.
    if (last && point.moment.atMs - last.moment.atMs < 0.9 * this.spacingMs) return;
    spaced.push(point);
    if (spaced.length <= parameters.traceSpaced) return;
    spaced.splice(0, spaced.length, ...spaced.filter((_, index) => index % 2 === 0));
    this.spacingMs *= 2;
  }
}

/**
 * How far growth strays from a straight line over what it is held against, as shares of the growth. `above`: it came
 * early and slowed down; `below`: it came late.
 */
export interface Bend {
  readonly above: number;
  readonly below: number;
}

/** @param xs rising, at least 2. @param ys as long */
export function bendOf(xs: readonly number[], ys: readonly number[]): Bend {
  const last = xs.length - 1;
  const span = xs[last]! - xs[0]!;
  const growth = ys[last]! - ys[0]!;
  let above = 0;
  let below = 0;
  for (let index = 1; index < last; index++) {
    const stray = (ys[index]! - ys[0]!) / growth - (xs[index]! - xs[0]!) / span;
    above = Math.max(above, stray);
    below = Math.max(below, -stray);
  }
  return { above, below };
}

/** What a straight line may stray by for its random error alone, and a little more. */
export function bendAllowed(growth: number): number {
  return Math.min(parameters.bendMost, parameters.bend + parameters.bendNoise / Math.sqrt(growth));
}
