import type { CronExpression } from './cron-expression.js';
import type { ZoneOffsets } from './zone-offsets.js';

const DAY_MS = 86_400_000;

/**
 * The ticks of a cron expression in a zone. Time is cut where the zone's clocks jump; between two jumps a local time is
 * UTC plus a constant, so that only the jumps need a rule:
 * fixed times that a jump leaves out fire at the jump, those it repeats fire the first time only;
 * an interval goes by the clock, whatever it shows.
 */
export class CronTicks {
  constructor(
    readonly expression: CronExpression,
    readonly zone: ZoneOffsets,
  ) {}

  /** The first tick strictly after an instant. */
  next(after: number): number | undefined {
    const { expression, zone } = this;
    const afterSecond = Math.floor(after / 1_000) * 1_000;
    let from = afterSecond + 1_000;
    let segment = zone.segmentAt(afterSecond);
    for (;;) {
      const { offsetMs, until } = segment;
      let wall = from + offsetMs;
      // What the clock showed before it was put back is not fired again.
      if (expression.isFixedTime) wall = Math.max(wall, segment.from + segment.offsetBeforeMs);
      const match = expression.next(wall);
      if (match === undefined) return undefined;
      if (match - offsetMs < until) return match - offsetMs;

      if (expression.isFixedTime && isLeftOut(match, offsetMs, zone.segmentAt(until).offsetMs, until)) return until;
      // Rare dates are years away: whatever the offsets are, nothing matches until a day before the next of them.
      const beyond = expression.next(until - DAY_MS);
      if (beyond === undefined) return undefined;
      from = Math.max(until, beyond - DAY_MS);
      segment = zone.segmentAt(from);
    }
  }
}

/**
 * Whether a wall time is one that a jump forward leaves out, and fires at the jump. When a zone crosses the date line a
 * whole day is left out: it never was, and nothing of it fires.
 */
function isLeftOut(wall: number, offsetBeforeMs: number, offsetMs: number, at: number): boolean {
  return offsetMs - offsetBeforeMs < DAY_MS && wall < at + offsetMs;
}
