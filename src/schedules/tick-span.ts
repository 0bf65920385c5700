/** Consecutive ticks of one timing. */
export interface TickSpan {
  count: number;
  last: number;
  /** The one before the last; undefined when there is only one. */
  beforeLast: number | undefined;
  /** The first tick behind the span; undefined when none will ever come. */
  next: number | undefined;
  /** How many ticks had to be looked up one by one. */
  steps: number;
}

/**
 * The ticks from one of them (which must be a tick) up to an instant that is not included; `from` itself always is. Of an interval they
 * are counted, of anything else looked up, at most `limit` of them.
 */
export function tickSpan(
  next: (after: number) => number | undefined,
  everyMs: number | undefined,
  from: number,
  until: number,
  limit: number,
): TickSpan {
  if (everyMs !== undefined) {
    const count = Math.max(1, Math.ceil((until - from) / everyMs));
    // `endAt` may come before `until`: then the last one is found by asking.
    const last = from + (count - 1) * everyMs;
    if (count === 1 || next(last - 1) === last) {
      return { count, last, beforeLast: count > 1 ? last - everyMs : undefined, next: next(last), steps: 1 };
    }
  }
  const span: TickSpan = { count: 1, last: from, beforeLast: undefined, next: next(from), steps: 1 };
  while (span.next !== undefined && span.next < until && span.steps < limit) {
    span.beforeLast = span.last;
    span.last = span.next;
    span.count += 1;
    span.steps += 1;
    span.next = next(span.last);
  }
  return span;
}
