import { type Job, type JobJson, Worker } from 'bullmq';
import type { EngineJob } from './engine-job.js';

type Fetched = Job<EngineJob>;

/** Jobs asked for at once at most: what Redis answers in some three milliseconds. */
const MAX_BATCH_COUNT = 64;

/**
 * BullMQ's worker asks for one job, waits for the answer, asks for the next, and processes none before it has as many as it
 * may process at once: with hundreds of runs due at the same instant that is hundreds of round trips. This one asks for as
 * many at once as seem to be there (what this replica added, or twice as many as were there last time) and as it has free slots for.
 */
export class EngineWorker extends Worker<EngineJob> {
  /** Fetched, locked, not yet asked for by the loop of the worker. */
  private readonly fetched: Fetched[] = [];
  private batchCount = 1;
  private isBatching = false;
  /** Jobs that the loop has and that have not ended. */
  private takenCount = 0;

  /** Jobs were added: so many may be there to fetch. */
  expect(count: number): void {
    this.batchCount = Math.max(this.batchCount, Math.min(MAX_BATCH_COUNT, count));
  }

  protected override async moveToActive(token: string, name?: string): Promise<Fetched> {
    const count = Math.min(this.batchCount, this.concurrency - this.takenCount);
    if (this.fetched.length === 0 && count > 1) await this.fetchBatch(count, token, name);
    let job = this.fetched.shift();
    if (job === undefined) {
      job = await super.moveToActive(token, name);
      this.batchCount = (job as Fetched | undefined) === undefined ? 1 : 2;
    }
    if ((job as Fetched | undefined) !== undefined) this.takenCount += 1;
    return job;
  }

  override async processJob(job: Fetched, token: string, fetchNext?: () => boolean): Promise<void | Fetched> {
    let next: void | Fetched = undefined;
    try {
      next = await super.processJob(job, token, fetchNext);
    } finally {
      // A job that was fetched on the way has its slot.
      if (!next) this.takenCount -= 1;
    }
    return next;
  }

  protected override async nextJobFromJobData(jobData?: JobJson, jobId?: string, token?: string): Promise<Fetched> {
    // Told that the queue is empty, the loop would go to sleep over the jobs that the batch brought.
    if (!jobData && this.isBatching) return undefined as unknown as Fetched;
    return super.nextJobFromJobData(jobData, jobId, token);
  }

  private async fetchBatch(count: number, token: string, name?: string): Promise<void> {
    this.isBatching = true;
    // One that fails is not lost: its lock runs out.
    const outcomes = await Promise.allSettled(
      Array.from({ length: count }, (_, index) => super.moveToActive(`${token}.${index}`, name)),
    );
    this.isBatching = false;
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled' && (outcome.value as Fetched | undefined)) this.fetched.push(outcome.value);
    }
    this.batchCount = this.fetched.length < count ? 1 : Math.min(MAX_BATCH_COUNT, count * 2);
    // The loop does not ask any more; what is locked here already is done.
    if (this.paused || this.closing !== undefined) {
      for (const job of this.fetched.splice(1)) {
        this.takenCount += 1;
        void this.processJob(job, job.token!, () => false);
      }
    }
  }
}
