import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Queue } from 'bullmq';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import { InFlight } from '../lifecycle/in-flight.js';
import { ReadinessChecks } from '../lifecycle/readiness-checks.js';
import { ServingState } from '../lifecycle/serving-state.js';
import { engineConnection } from '../redis/engine-connection.js';
import { REDIS, type RedisClient } from '../redis/redis-client.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { EngineFeed } from './engine-feed.js';
import type { EngineJob, HandedRun } from './engine-job.js';
import { type Answered, RunExecutor } from './run-executor.js';
import { UnwrittenAnswers } from './unwritten-answers.js';
import { RunSlots } from './run-slots.js';
import { RetakenRuns } from './retaken-runs.js';
import { OUTBOX_MS } from './run-store.js';
import { RunWatch } from './run-watch.js';
import { WaitedRuns } from './waited-runs.js';
import { Replicas } from './replicas.js';
import { PlaceReservation } from './place-reservation.js';
import { WaitingRuns } from './waiting-runs.js';

export interface EngineCounts {
  waitingCount: number;
  activeCount: number;
  delayedCount: number;
}

const QUEUE_NAME = 'engine';
/** Finding a job in a list takes time in proportion: beyond this many, a job that no list names is found when there are fewer. */
const MAX_SEARCHED_COUNT = 1_000;
/** Every other state is that of a job whose record or list was lost; one that was emptied even ends as completed. */
const BUSY_STATES: ReadonlySet<string> = new Set(['waiting', 'prioritized', 'active']);
/** Closing a worker whose Redis answers takes milliseconds; this bounds the case where it does not. */
const CLOSE_TIMEOUT_MS = 2_000;
const WAITED_LOOK_MS = 50;
/** The due index hands a run to nobody else before this. */
const SURELY_OURS_MS = OUTBOX_MS / 2;
/** Runs that may wait here for each place, and what they may hold together. */
const WAITING_PER_PLACE = 60;
const WAITING_BYTES = 4 * 1_048_576;
/** What answers may hold together that are written down without a place: little beside MAX_CONCURRENT_RUNS × MAX_RESULT_BYTES. */
const UNWRITTEN_CHARS = 262_144;

/**
 * Where a run is executed that is due: here at once while there is a place (MAX_CONCURRENT_RUNS), else by way of BullMQ on the replica
 * that has one first (docs/adr/0004-engine-and-own-records.md, 0009-begin-where-made.md). BullMQ knows no time.
 *
 * Owns the queue (on the one client) and the worker (whose blocking duplicate is the replica's second Redis socket).
 */
@Injectable()
export class Engine implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Engine.name);
  private readonly queue: Queue<EngineJob>;
  private readonly waiting: WaitingRuns;
  private readonly answers: UnwrittenAnswers;
  private feed?: EngineFeed;
  /** Places that runs have which came without the engine. */
  private hereCount = 0;
  /** Places kept for runs that are about to be made. */
  private reservedCount = 0;

  constructor(
    @Inject(REDIS) private readonly redis: RedisClient,
    private readonly keys: RedisKeys,
    @Inject(SETTINGS) private readonly settings: Settings,
    private readonly executor: RunExecutor,
    private readonly slots: RunSlots,
    private readonly waited: WaitedRuns,
    private readonly watch: RunWatch,
    private readonly retaken: RetakenRuns,
    replicas: Replicas,
    private readonly inFlight: InFlight,
    private readonly serving: ServingState,
    readiness: ReadinessChecks,
  ) {
    this.waiting = new WaitingRuns(
      { count: settings.maxConcurrentRuns * WAITING_PER_PLACE, bytes: WAITING_BYTES },
      // A run goes a long way round to come back to the only replica there is.
      () => replicas.count !== 1,
      (runs) => this.handOn(runs),
    );
    this.answers = new UnwrittenAnswers({ count: settings.maxConcurrentRuns, chars: UNWRITTEN_CHARS });
    slots.whenFreed(() => this.beginWaiting());
    this.queue = new Queue<EngineJob>(QUEUE_NAME, {
      connection: engineConnection(redis),
      prefix: keys.key(),
      skipMetasUpdate: true,
      defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true },
    });
    // Without a listener an 'error' event would end the process; RedisModule logs the connection's troubles.
    this.queue.on('error', (error) => this.logger.debug(`queue: ${error.message}`));
    readiness.add('engine', () => (this.feed?.isRunning === true ? 'up' : { down: 'the worker is not running' }));
  }

  onApplicationBootstrap(): void {
    const { runLockMs } = this.settings;
    this.feed = new EngineFeed(
      QUEUE_NAME,
      {
        connection: engineConnection(this.redis),
        prefix: this.keys.key(),
        lockDuration: runLockMs,
        stalledInterval: Math.max(1_000, Math.round(runLockMs * 0.4)),
        // A stalled job is a replica that died or froze; the run's own record bounds how often it is repeated.
        maxStalledCount: 1_000_000,
        // The jobs say so themselves, unless their options were lost.
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 0 },
      },
      this.slots,
      (job) => this.execute(job),
    );
  }

  /**
   * Keeps places for runs that are about to be made, as many as are free, so that they begin as they are made. A drain waits
   * for those runs, too. To be handed to {@link begin}, and closed.
   */
  reserve(count: number): PlaceReservation {
    const taken = this.feed === undefined || count === 0 ? 0 : this.slots.tryTake(count);
    if (taken === 0) return new PlaceReservation(0, () => undefined);
    const done = this.inFlight.begin('run');
    this.reservedCount += taken;
    return new PlaceReservation(taken, (left) => {
      this.reservedCount -= taken;
      if (left > 0) this.slots.give(left);
      done();
    });
  }

  /**
   * Begins runs here, at once, as many as there are places for that the engine's jobs do not wait for. Should this replica die on the way, the due index brings them back.
   * @param places kept for them; closed by this
   * @returns the others, to {@link add}
   */
  begin(runs: readonly HandedRun[], places?: PlaceReservation): readonly HandedRun[] {
    if (this.feed === undefined) return runs;
    // Each of those that have begun has a place.
    const inOrder = places === undefined ? runs : [...runs.filter(hasBegun), ...runs.filter((run) => !hasBegun(run))];
    let count = 0;
    while (count < inOrder.length && places?.use()) void this.executeHere(inOrder[count++]);
    places?.close();
    const more = this.slots.tryTake(inOrder.length - count);
    for (const run of inOrder.slice(count, count + more)) void this.executeHere(run);
    const others = inOrder.slice(count + more);
    // Where nothing is under way, nothing will end in a moment.
    return this.hereCount + this.reservedCount > 0 ? this.letWait(others) : others;
  }

  /** Hands runs to the engine, for the first replica that has a place. Repeating a hand-over that it still has changes nothing. */
  async add(jobs: readonly EngineJob[]): Promise<void> {
    if (jobs.length === 0) return;
    const entries = jobs.map((job) => ({
      name: 'run',
      data: { namespace: job.namespace, runId: job.runId, enqueues: job.enqueues },
      opts: { jobId: jobId(job), ...(job.priority === undefined ? {} : { priority: job.priority }) },
    }));
    this.feed?.expect(entries.length);
    // A pipeline of one costs three times as much as the command in it.
    if (entries.length === 1) await this.queue.add(entries[0].name, entries[0].data, entries[0].opts);
    else await this.queue.addBulk(entries);
  }

  /** Whether the engine has this hand-over, waiting or active. What is left of a job that is neither is taken away. */
  async has(job: EngineJob): Promise<boolean> {
    const known = await this.queue.getJob(jobId(job));
    if (known === undefined) return false;
    const { waitingCount, activeCount } = await this.counts();
    if (waitingCount + activeCount > MAX_SEARCHED_COUNT) return true;
    if (BUSY_STATES.has(await known.getState())) return true;
    return known.remove().then(
      () => false,
      // A worker holds its lock: it is under way.
      () => true,
    );
  }

  /** Runs that wait for a place of this replica. */
  get waitingHereCount(): number {
    return this.waiting.count;
  }

  /** Jobs by state, of all replicas. */
  async counts(): Promise<EngineCounts> {
    const counts = await this.queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed');
    return {
      waitingCount: (counts.waiting ?? 0) + (counts.prioritized ?? 0),
      activeCount: counts.active ?? 0,
      delayedCount: counts.delayed ?? 0,
    };
  }

  /**
   * Takes no new run but those that its callers wait for, lets those under way end until DRAIN_TIMEOUT_MS after the drain began, puts the rest back, closes
   * the worker. Waits for a Redis that does not answer no longer than for one that does.
   */
  async beforeApplicationShutdown(): Promise<void> {
    this.slots.close();
    this.waiting.close();
    if (this.feed !== undefined) await settleWithin(this.feed.stop(), CLOSE_TIMEOUT_MS);
    await this.beginWaitedRuns();
    const drained = await this.inFlight.idle(this.drainLeftMs(), 'run');
    if (!drained) {
      this.executor.abandonAll();
      await this.inFlight.idle(CLOSE_TIMEOUT_MS, 'run');
    }
    if (this.feed !== undefined && !(await settleWithin(this.feed.close(), CLOSE_TIMEOUT_MS))) {
      this.logger.warn('the worker did not close in time');
    }
    await settleWithin(this.queue.close(), CLOSE_TIMEOUT_MS);
  }

  /** What callers of this replica wait for is begun as places come free, as long as the drain lasts. */
  private async beginWaitedRuns(): Promise<void> {
    while (this.waited.count > 0 && this.drainLeftMs() > 0) {
      let places = 0;
      while (places < this.waited.count && this.slots.takeLast()) places += 1;
      const runs = places === 0 ? [] : await this.waited.take(places);
      for (const run of runs) void this.executeHere(run);
      if (places > runs.length) this.slots.give(places - runs.length);
      await sleep(Math.min(WAITED_LOOK_MS, this.drainLeftMs()));
    }
  }

  private drainLeftMs(): number {
    return this.serving.drainLeftMs(this.settings.drainTimeoutMs);
  }

  /** A place takes one run after the other as long as some wait for it. */
  private async executeHere(first: HandedRun): Promise<void> {
    this.hereCount += 1;
    let run: HandedRun | undefined = first;
    while (run !== undefined) {
      await this.needsPlace(run);
      // The engine's jobs, which came from afar, go first.
      run = this.slots.isAwaited ? undefined : this.waiting.next();
    }
    this.hereCount -= 1;
    this.slots.give();
  }

  /**
   * Executes a run; resolves when it needs its place no more. It does not while what its agent answered is written down: the next one is
   * begun by the same command to Redis. But of those that are not written down yet only so many may be without a place.
   */
  private needsPlace(run: HandedRun): Promise<void> {
    return new Promise<void>((resolve) => {
      let written = 0;
      const answered: Answered = (length) => {
        if (!this.answers.tryTake(length)) return;
        written = length;
        resolve();
      };
      this.execute(run, answered)
        .catch((error: Error) => this.logger.debug(`run ${run.runId} comes due again: ${error.message}`))
        .finally(() => {
          if (written > 0) this.answers.give(written);
          resolve();
        });
    });
  }

  /** Places that the engine's jobs gave back, or that were kept for runs that were not made. */
  private beginWaiting(): void {
    while (this.waiting.count > 0 && this.slots.tryTake(1) === 1) {
      const run = this.waiting.next();
      if (run === undefined) return this.slots.give();
      void this.executeHere(run);
    }
  }

  /** @returns those that there is no room for */
  private letWait(runs: readonly HandedRun[]): readonly HandedRun[] {
    const left = this.waiting.add(runs);
    // The look after a run that nobody began within OUTBOX_MS must not begin it a second time.
    for (const run of runs.slice(0, runs.length - left.length)) {
      run.watched ??= this.watch.begin(run.namespace, run.runId);
      run.waitsSince ??= performance.now();
    }
    return left;
  }

  private handOn(runs: HandedRun[]): void {
    this.addWaited(runs)
      // What fails here comes due again.
      .catch((error: Error) => this.logger.debug(`runs were not handed on: ${error.message}`))
      // Until then nobody else has them.
      .finally(() => runs.forEach(({ watched }) => watched?.end()));
  }

  /** The look of another replica after those that waited for long may have been first: a job of ours would take them over from it. */
  private async addWaited(runs: readonly HandedRun[]): Promise<void> {
    const since = performance.now() - SURELY_OURS_MS;
    const [ours, others] = [[], []] as [HandedRun[], HandedRun[]];
    for (const run of runs) (run.waitsSince === undefined || run.waitsSince > since ? ours : others).push(run);
    await this.add(ours);
    if (others.length > 0) await this.add(await this.retaken.retake(others));
  }

  private async execute(run: HandedRun, answered?: Answered): Promise<void> {
    const done = this.inFlight.begin('run');
    try {
      await this.add(this.begin(await this.executor.execute(run, answered)));
    } finally {
      done();
    }
  }
}

function hasBegun({ begunAt }: HandedRun): boolean {
  return begunAt !== undefined;
}

/** BullMQ refuses ':' in a job id. */
function jobId({ namespace, runId, enqueues }: EngineJob): string {
  return `${namespace}~${runId}~${enqueues}`;
}

/** Waits for work at most this long; its late outcome is dropped. @returns whether it settled well in time. */
async function settleWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  return new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    work
      .then(
        () => resolve(true),
        () => resolve(false),
      )
      .finally(() => clearTimeout(timer));
  });
}
