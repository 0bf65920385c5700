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
 * Bounded in number, bytes and, when there are other replicas, in time: what waits too long is handed to `overdue`.
 */
export class WaitingRuns {
  /** By priority, 0 first; of each in the order of arrival. */
  private readonly queues = new Map<number, Queue>();
  private waitingCount = 0;
  private bytes = 0;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  private freedAt = -Infinity;

  constructor(
    private readonly limits: { count: number; bytes: number },
    /** Whether somebody else may have a place. */
    private readonly areOthers: () => boolean,
    private readonly overdue: (runs: HandedRun[]) => void,
  ) {}

  get count(): number {
    return this.waitingCount;
  }

  /** @returns those that there is no room for */
  add(runs: readonly HandedRun[]): readonly HandedRun[] {
    if (this.isClosed) return runs;
    const since = performance.now();
    let taken = 0;
    for (const run of runs) {
      const bytes = bytesOf(run);
      if (this.count >= this.limits.count || this.bytes + bytes > this.limits.bytes) break;
      this.queue(run.priority ?? 0).push({ run, since });
      this.waitingCount += 1;
      this.bytes += bytes;
      taken += 1;
    }
    if (taken > 0) this.arm();
    return runs.slice(taken);
  }

  /** A place is free. @returns the run whose turn it is: by priority, then in the order of arrival */
  next(): HandedRun | undefined {
    this.freedAt = performance.now();
    if (this.count === 0) return undefined;
    let first: { priority: number; queue: Queue } | undefined;
    for (const [priority, queue] of this.queues) {
      if (queue.first !== undefined && (first === undefined || priority < first.priority)) first = { priority, queue };
    }
    return first && this.take(first.queue);
  }

  /** Hands all of them on, and takes no more. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.handOn(Infinity);
  }

  private queue(priority: number): Queue {
    const known = this.queues.get(priority);
    if (known !== undefined) return known;
    const queue = new Queue();
    this.queues.set(priority, queue);
    return queue;
  }

  private take(queue: Queue): HandedRun {
    const { run } = queue.shift();
    this.waitingCount -= 1;
    this.bytes -= bytesOf(run);
    return run;
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
    if (this.areOthers()) this.handOn(now + 1 - (isStalled ? STALL_MS : MAX_WAIT_MS));
    if (this.count > 0) this.arm();
  }

  private handOn(until: number): void {
    const runs: HandedRun[] = [];
    for (const queue of this.queues.values()) {
      while (queue.first !== undefined && queue.first.since <= until) runs.push(this.take(queue));
    }
    if (runs.length > 0) this.overdue(runs);
  }
}

/** First in, first out; taking the first moves none of the others. */
class Queue {
  private items: Waiting[] = [];
  private at = 0;

  get first(): Waiting | undefined {
    return this.items[this.at];
  }

  push(item: Waiting): void {
    this.items.push(item);
  }

  shift(): Waiting {
    const item = this.items[this.at++];
    if (this.at > 32 && this.at * 2 > this.items.length) {
      this.items = this.items.slice(this.at);
      this.at = 0;
    }
    return item;
  }
}

function bytesOf({ record }: HandedRun): number {
  return record?.bytes ?? 0;
}
