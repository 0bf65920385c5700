import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { EXCLUDED, recordOf } from '../counting/record-slot.js';
import type { WorkReading } from '../verdict/detector-sample.js';

const MAX_UNITS = 64;
const HTTP_REQUEST = 'http.request';
const HTTP_FINISHED = 'http.server.response.finish';

/**
 * Work finished, by unit. Finished and not begun: what a request that is still open holds is in use. Requests of Node's HTTP
 * servers are counted by themselves, those of the diagnostics left out.
 */
export class WorkCounts {
  private readonly counts = new Map<string, number>([[HTTP_REQUEST, 0]]);
  private readonly onFinished = (message: unknown): void => {
    // Whoever looks at the diagnostics does none of the application's work.
    if (recordOf((message as { response: object }).response) !== EXCLUDED) this.add(HTTP_REQUEST, 1);
  };

  start(): void {
    subscribe(HTTP_FINISHED, this.onFinished);
  }

  stop(): void {
    unsubscribe(HTTP_FINISHED, this.onFinished);
  }

  /** Units beyond the bound are not counted. */
  add(unit: string, count: number): void {
    const before = this.counts.get(unit);
    if (before !== undefined) this.counts.set(unit, before + count);
    else if (this.counts.size < MAX_UNITS) this.counts.set(unit, count);
  }

  /** Units that ever had work. */
  read(): WorkReading[] {
    const work: WorkReading[] = [];
    for (const [unit, count] of this.counts) {
      // What an application names itself says more than "a request".
      if (count > 0) work.push({ unit, count, vagueness: unit === HTTP_REQUEST ? 0.1 : 0 });
    }
    return work;
  }
}
