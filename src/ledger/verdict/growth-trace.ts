import type { Moment } from './moment.js';
import { parameters } from './verdict-parameters.js';

/** How many of one line there were at one moment. */
export interface TracePoint {
  readonly moment: Moment;
  readonly live: number;
  readonly opened: number;
  readonly ended: number;
}

/** Growth of one line since it was last as low as it began: fine for the last minutes, coarse before, bounded. */
export class GrowthTrace {
  readonly points: TracePoint[] = [];

  push(point: TracePoint): void {
    const { points } = this;
    if (points.length > 0 && point.live <= points[0]!.live) points.length = 0;
    points.push(point);
    if (points.length <= parameters.traceLength) return;
    // The first stays for where it began, and the last for where it is.
    const kept = points.filter((_, index) => index % 2 === 0 || index === points.length - 1);
    points.splice(0, points.length, ...kept);
  }

  restart(): void {
    this.points.length = 0;
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
