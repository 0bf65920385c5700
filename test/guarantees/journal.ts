import { readFileSync } from 'node:fs';

/** Something that was done to the fleet, or that the machine did to it. Times are ms since the epoch. */
export interface Disturbance {
  kind: string;
  from: number;
  to: number;
}

/** How long it took until the fleet had recovered from one disturbance; Infinity: it has not, as long as anybody looked. */
export interface Recovery {
  kind: string;
  /** From when the time counts, ms since the epoch. */
  at: number;
  /** From when on nothing is of those that were disturbed. */
  goneAt: number;
  /** Until the last run that was under way was dispatched by another replica; 0 when there was none to take over. */
  takeoverMs: number;
  /** Until the last tick that was overdue was dealt with; 0 when none was. */
  overdueTicksMs: number;
  takenOverCount: number;
  /** Runs that did not go on. */
  left: string[];
  /** What was known of a run that was taken over late, or not at all, now and then. */
  slow: string[];
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

  /** Writes down when the machine leaves processes without time: that does to them what a freeze does. */
  watchMachine(processIds: () => readonly number[]): void {
    const waitedMs = new Map<number, number>();
    this.timer = setInterval(() => {
      for (const pid of processIds()) {
        const waited = waitedForProcessorMs(pid);
        const lostMs = waited - (waitedMs.get(pid) ?? waited);
        waitedMs.set(pid, waited);
        if (lostMs > STARVED_AFTER_MS) this.note('a process got no processor', Date.now() - lostMs - LOOK_EVERY_MS);
      }
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
}

/** How long a process' main thread was ready and had to wait, since its start; 0 where the system does not tell. */
function waitedForProcessorMs(pid: number): number {
  try {
    const [, waitedNs] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
    return Number(waitedNs) / 1_000_000;
  } catch {
    return 0;
  }
}
