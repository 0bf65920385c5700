/** Something that was done to the fleet, or that the machine did to it. Times are ms since the epoch. */
export interface Disturbance {
  kind: string;
  from: number;
  to: number;
}

/** How long it took until the fleet had recovered from one disturbance. */
export interface Recovery {
  kind: string;
  at: number;
  /** Until the takeover of the last run that was under way; undefined: it did not happen in time. */
  takeoverMs?: number;
  /** How many runs were under way, and how many of them another replica dispatched anew. */
  underWayCount: number;
  takenOverCount: number;
}

const STARVED_AFTER_MS = 500;
const LOOK_EVERY_MS = 100;

/** Everything that was done in a run, in order. */
export class Journal {
  readonly disturbances: Disturbance[] = [];
  readonly recoveries: Recovery[] = [];
  /** What a guarantee forbids and was seen while the run went on. */
  readonly violations: string[] = [];
  /** What went wrong in the harness itself. */
  readonly troubles: string[] = [];
  private timer?: NodeJS.Timeout;

  /** Writes down when the machine itself leaves processes without time: that excuses what a freeze excuses. */
  watchMachine(): void {
    let seenAt = performance.now();
    this.timer = setInterval(() => {
      const now = performance.now();
      const lostMs = now - seenAt - LOOK_EVERY_MS;
      seenAt = now;
      if (lostMs > STARVED_AFTER_MS) this.note('the machine was busy', Date.now() - lostMs);
    }, LOOK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  note(kind: string, from: number, to = Date.now()): void {
    this.disturbances.push({ kind, from, to });
  }

  /** Whether anything was done between two instants. */
  hasAny(from: number, to: number): boolean {
    return this.disturbances.some((disturbance) => disturbance.from <= to && disturbance.to >= from);
  }

  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { kind } of this.disturbances) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return counts;
  }
}
