/** A stretch of time during which a zone keeps one offset. Instants in ms since the epoch, whole seconds. */
export interface OffsetSegment {
  /** First instant of the offset, or an earlier one of it from which on it is known. */
  from: number;
  /** First instant that is not part of it; the offset may go on behind it. */
  until: number;
  /** Local time minus UTC. */
  offsetMs: number;
  /** The offset that ended at `from`; equal to `offsetMs` where nothing changed there. */
  offsetBeforeMs: number;
}

/** An instant at which a zone's clocks jump. */
export interface OffsetChange {
  at: number;
  offsetBeforeMs: number;
  offsetMs: number;
}

const DAY_MS = 86_400_000;
const BLOCK_MS = 360 * DAY_MS;
/** Since 1970 no zone has changed its offset twice within seven days: a probe every three finds every change. */
const PROBE_EVERY_MS = 3 * DAY_MS;
/** Blocks kept of one zone: more than are in use at any time, few enough that no caller can fill the memory. */
const MAX_BLOCKS = 64;
const MAX_ZONES = 500;

const zones = new Map<string, ZoneOffsets>();

/**
 * The offsets of one zone. Asking `Intl` for a local time costs microseconds, and every tick needs several: the changes of
 * an offset are found once, by bisection, and kept.
 */
export class ZoneOffsets {
  private readonly blocks = new Map<number, readonly OffsetSegment[]>();

  private constructor(private readonly timezone: string) {}

  /** @throws RangeError when the zone does not exist */
  static of(timezone: string): ZoneOffsets {
    let zone = zones.get(timezone);
    if (zone === undefined) {
      localClock(timezone);
      zone = new ZoneOffsets(timezone);
      keepNewest(zones, timezone, zone, MAX_ZONES);
    }
    return zone;
  }

  /** What holds at an instant. */
  segmentAt(instant: number): OffsetSegment {
    const segments = this.block(Math.floor(instant / BLOCK_MS));
    let at = segments.length - 1;
    while (segments[at].from > instant) at -= 1;
    return segments[at];
  }

  /** The changes after one instant and up to another one, which is included. */
  changes(after: number, until: number): OffsetChange[] {
    const found: OffsetChange[] = [];
    let segment = this.segmentAt(after);
    while (segment.until <= until) {
      const at = segment.until;
      const next = this.segmentAt(at);
      if (next.offsetMs !== segment.offsetMs) {
        found.push({ at, offsetBeforeMs: segment.offsetMs, offsetMs: next.offsetMs });
      }
      segment = next;
    }
    return found;
  }

  private block(index: number): readonly OffsetSegment[] {
    let block = this.blocks.get(index);
    if (block === undefined) {
      block = segmentsOf(this.timezone, index * BLOCK_MS, (index + 1) * BLOCK_MS);
      keepNewest(this.blocks, index, block, MAX_BLOCKS);
    }
    return block;
  }
}

/** Starts before `from`, so that what was repeated by a change shortly before it is known. */
function segmentsOf(timezone: string, from: number, until: number): OffsetSegment[] {
  const offsetAt = localClock(timezone);
  const segments: OffsetSegment[] = [];
  let start = from - PROBE_EVERY_MS;
  let offsetMs = offsetAt(start);
  let offsetBeforeMs = offsetMs;
  for (let seen = start; seen < until - 1_000;) {
    const probe = Math.min(seen + PROBE_EVERY_MS, until - 1_000);
    while (offsetAt(probe) !== offsetMs) {
      const at = firstChange(offsetAt, seen, probe, offsetMs);
      segments.push({ from: start, until: at, offsetMs, offsetBeforeMs });
      start = seen = at;
      offsetBeforeMs = offsetMs;
      offsetMs = offsetAt(at);
    }
    seen = probe;
  }
  segments.push({ from: start, until, offsetMs, offsetBeforeMs });
  return segments;
}

/** The second at which an offset ends that holds at `low` and no more at `high`. */
function firstChange(offsetAt: (instant: number) => number, low: number, high: number, offsetMs: number): number {
  while (high - low > 1_000) {
    const middle = low + Math.floor((high - low) / 2_000) * 1_000;
    if (offsetAt(middle) === offsetMs) low = middle;
    else high = middle;
  }
  return high;
}

/** Not kept: a formatter holds tens of kilobytes outside the heap. */
function localClock(timezone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return (instant) => {
    const [month, day, year, hour, minute, second] = (format.format(instant).match(/\d+/g) as string[]).map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, second) - instant;
  };
}

function keepNewest<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, most: number): void {
  if (map.size >= most) map.delete(map.keys().next().value as Key);
  map.set(key, value);
}
