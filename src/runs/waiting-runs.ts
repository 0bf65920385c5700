import type { HandedRun } from './engine-job.js';

/** When no place has come free for so long, runs go to where another replica may have one. */
const STALL_MS = 25;
/** However fast places come free, no run waits longer here. */
const MAX_WAIT_MS = 250;

interface Waiting {
  run: HandedRun;
  since: number;
}

/**
 * Runs for which no place is free here, but will be in a moment: with short jobs a detour through the engine costs more than the wait.
 * Bounded in number and time; what waits too long is handed to `overdue`.
 */
export class WaitingRuns {
  private readonly waiting: Waiting[] = [];
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  private freedAt = -Infinity;

  constructor(
    private readonly maxCount: number,
    private readonly overdue: (runs: HandedRun[]) => void,
  ) {}

  /** @returns those that there is no room for */
  add(runs: readonly HandedRun[]): readonly HandedRun[] {
    if (this.isClosed) return runs;
    const since = performance.now();
    const taken = runs.slice(0, Math.max(0, this.maxCount - this.waiting.length));
    for (const run of taken) this.waiting.push({ run, since });
    if (taken.length > 0) this.arm();
    return runs.slice(taken.length);
  }

  /** A place is free. @returns the run whose turn it is: by priority, then in the order of arrival */
  next(): HandedRun | undefined {
    this.freedAt = performance.now();
    if (this.waiting.length === 0) return undefined;
    let first = 0;
    for (let at = 1; at < this.waiting.length; at += 1) {
      if ((this.waiting[at].run.priority ?? 0) < (this.waiting[first].run.priority ?? 0)) first = at;
    }
    return this.waiting.splice(first, 1)[0].run;
  }

  /** Hands all of them on, and takes no more. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.handOn(Infinity);
  }

  private arm(): void {
    // Looked at behind what has arrived meanwhile: this process may have been without a processor for longer than that.
    this.timer ??= setTimeout(() => setImmediate(() => this.look()), STALL_MS).unref();
  }

  private look(): void {
    if (this.isClosed) return;
    this.timer = undefined;
    const now = performance.now();
    // A timer may be a millisecond early.
    const isStalled = now - this.freedAt >= STALL_MS;
    this.handOn(now + 1 - (isStalled ? STALL_MS : MAX_WAIT_MS));
    if (this.waiting.length > 0) this.arm();
  }

  private handOn(until: number): void {
    let count = 0;
    while (count < this.waiting.length && this.waiting[count].since <= until) count += 1;
    if (count > 0) this.overdue(this.waiting.splice(0, count).map(({ run }) => run));
  }
}
