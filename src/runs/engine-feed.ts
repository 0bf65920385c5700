import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Job, type JobJson, Worker, type WorkerOptions } from 'bullmq';
import type { EngineJob } from './engine-job.js';
import type { RunSlots } from './run-slots.js';

type Fetched = Job<EngineJob>;

/** Jobs asked for at once at most: what Redis answers in some three milliseconds. */
const MAX_BATCH_COUNT = 64;
const ERROR_PAUSE_MS = 500;
/** A lock is renewed this often before it runs out. */
const LOCK_RENEWALS = 3;

/**
 * Brings jobs from the engine to the free places of this replica, by BullMQ's means for fetching jobs by hand. Its own loop asks
 * for one job, waits for the answer, asks for the next, and processes none before it has as many as it may: with hundreds
 * waiting, hundreds of round trips. This one asks for as many at once as seem to be there, and knows of places that others take.
 */
export class EngineFeed {
  private readonly logger = new Logger('Engine');
  private readonly worker: Worker<EngineJob>;
  private readonly stopping = new AbortController();
  /** Job id → token of its lock. */
  private readonly locked = new Map<string, string>();
  private readonly lockTimer: NodeJS.Timeout;
  /** Jobs that are likely to be there. */
  private expectedCount = 1;
  private isEmpty = false;
  private isRunning_ = true;

  constructor(
    name: string,
    private readonly options: Omit<WorkerOptions, 'lockDuration'> & { lockDuration: number },
    private readonly slots: RunSlots,
    private readonly process: (job: EngineJob) => Promise<void>,
  ) {
    this.worker = new Worker<EngineJob>(name, null, { ...options, autorun: false });
    this.worker.on('error', (error) => this.logger.debug(`worker: ${error.message}`));
    this.lockTimer = setInterval(() => void this.extendLocks(), Math.floor(options.lockDuration / LOCK_RENEWALS));
    this.lockTimer.unref();
    void this.run();
  }

  get isRunning(): boolean {
    return this.isRunning_;
  }

  /** Jobs were added: so many may be there to fetch. */
  expect(count: number): void {
    this.isEmpty = false;
    this.expectedCount = Math.max(this.expectedCount, Math.min(MAX_BATCH_COUNT, count));
  }

  /** Takes no further job. Those under way go on, and their locks are renewed until `close`. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.worker.pause(true);
  }

  /** Ends the worker's connection. Waits for no job, nor for Redis. */
  async close(): Promise<void> {
    this.stopping.abort();
    clearInterval(this.lockTimer);
    await this.worker.close(true);
  }

  private get isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private async run(): Promise<void> {
    void this.worker.startStalledCheckTimer().catch((error: Error) => this.logger.debug(error.message));
    while (!this.isStopping && (await this.slots.take())) {
      const count = 1 + this.slots.tryTake(this.expectedCount - 1);
      let jobs: Fetched[] = [];
      try {
        jobs = await this.fetch(count);
      } catch (error) {
        this.logger.debug(`jobs were not fetched: ${(error as Error).message}`);
        await sleep(ERROR_PAUSE_MS, undefined, { ref: false, signal: this.stopping.signal }).catch(() => undefined);
      }
      this.slots.give(count - jobs.length);
      for (const job of jobs) void this.handle(job);
    }
    this.isRunning_ = false;
  }

  /** As many jobs as are there. When there was none last time, waits for one; it may return without. */
  private async fetch(count: number): Promise<Fetched[]> {
    const block = this.isEmpty;
    const expected = this.expectedCount;
    const fetched = await Promise.allSettled(
      Array.from({ length: count }, async () => {
        const token = randomUUID();
        const job = (await this.worker.getNextJob(token, { block })) as Fetched | undefined;
        if (job !== undefined) job.token = token;
        return job;
      }),
    );
    const jobs = fetched.flatMap((one) => (one.status === 'fulfilled' && one.value !== undefined ? [one.value] : []));
    const failed = fetched.find((one) => one.status === 'rejected');
    // One whose answer was lost is not: its lock runs out.
    if (failed !== undefined && jobs.length === 0) throw failed.reason;
    const areMoreAdded = this.expectedCount !== expected;
    if (jobs.length === count) {
      this.isEmpty = false;
      if (!areMoreAdded) this.expectedCount = Math.min(MAX_BATCH_COUNT, count * 2);
    } else if (!areMoreAdded) {
      this.isEmpty = true;
      this.expectedCount = 1;
    }
    return jobs;
  }

  /** A place takes one job after the other as long as more are waiting. */
  private async handle(first: Fetched): Promise<void> {
    let job: Fetched | undefined = first;
    while (job !== undefined) job = await this.handleOne(job);
    this.slots.give();
  }

  private async handleOne(job: Fetched): Promise<Fetched | undefined> {
    const { id, token } = job as Fetched & { id: string; token: string };
    this.locked.set(id, token);
    let failure: Error | undefined;
    try {
      await this.process(job.data);
    } catch (error) {
      failure = error as Error;
    } finally {
      this.locked.delete(id);
    }
    const fetchNext = !this.isEmpty && !this.isStopping;
    try {
      const next: unknown = failure
        ? await job.moveToFailed(failure, token, fetchNext)
        : await job.moveToCompleted('', token, fetchNext);
      const [data, nextId] = (Array.isArray(next) ? next : []) as [JobJson?, string?];
      if (!data || nextId === undefined) return undefined;
      const nextJob = Job.fromJSON<EngineJob>(this.worker, data, nextId);
      nextJob.token = token;
      return nextJob;
    } catch (error) {
      // Its lock runs out; whoever gets it then finds a run that has ended, or goes on with it.
      this.logger.debug(`job ${id} was not moved on: ${(error as Error).message}`);
      return undefined;
    }
  }

  private async extendLocks(): Promise<void> {
    if (this.locked.size === 0) return;
    try {
      await this.worker.extendJobLocks([...this.locked.keys()], [...this.locked.values()], this.options.lockDuration);
    } catch (error) {
      this.logger.debug(`locks were not renewed: ${(error as Error).message}`);
    }
  }
}
