import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { EXCLUDED, recordOf } from '../counting/record-slot.js';
import type { WorkReading } from '../verdict/detector-sample.js';

const MAX_UNITS = 64;
const HTTP_REQUEST = 'http.request';
const HTTP_FINISHED = 'http.server.response.finish';

interface Tally {
  readonly unit: string;
  count: number;
}

/**
 * Work finished, by unit. Finished and not begun: what a request that is still open holds is in use. Requests of Node's HTTP
 * servers are counted by themselves, those of the diagnostics left out.
 */
export class WorkCounts {
  private readonly tallies = new Map<string, Tally>();
  private readonly httpRequests = this.tally(HTTP_REQUEST);
  /** The unit that was counted last: mostly it is the one that is counted next. */
  private last = this.httpRequests;
  private readonly onFinished = (message: unknown): void => {
    // Whoever looks at the diagnostics does none of the application's work.
    if (recordOf((message as { response: object }).response) !== EXCLUDED) this.httpRequests.count++;
  };

  start(): void {
    subscribe(HTTP_FINISHED, this.onFinished);
  }

  stop(): void {
    unsubscribe(HTTP_FINISHED, this.onFinished);
  }

  /** Units beyond the bound are not counted. */
  add(unit: string, count: number): void {
    if (unit !== this.last.unit) {
      const tally = this.tallies.get(unit) ?? (this.tallies.size < MAX_UNITS ? this.tally(unit) : undefined);
      if (!tally) return;
      this.last = tally;
    }
    this.last.count += count;
  }

  /** Units that ever had work. */
  read(): WorkReading[] {
    const work: WorkReading[] = [];
    for (const { unit, count } of this.tallies.values()) {
      // What an application names itself says more than "a request".
      if (count > 0) work.push({ unit, count, vagueness: unit === HTTP_REQUEST ? 0.1 : 0 });
    }
    return work;
  }

  private tally(unit: string): Tally {
    const tally = { unit, count: 0 };
    this.tallies.set(unit, tally);
    return tally;
  }
}
