import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { AgentCallError, type PlaceOutcome } from '../agents/agent-call.error.js';
import {
  type AcquireRequest,
  type AgentPlace,
  AgentsService,
  CallStop,
  type GivenPlace,
} from '../agents/agents.service.js';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import type { AgentExecuteRequest } from '../contract/agent.schema.js';
import { CommandError } from '../contract/command-error.js';
import type { RunError } from '../contract/run.schema.js';
import { isFinalRunState } from '../contract/run.schema.js';
import { countWork } from '../ledger/index.js';
import { BrokenRecordError } from '../redis/broken-record.error.js';
import type { RedisClient } from '../redis/redis-client.js';
import { RedisGate } from '../redis/redis-gate.js';
import { DispatchStats } from './dispatch-stats.js';
import type { HandedRun } from './engine-job.js';
import { DueLoop } from './due-loop.js';
import { retryDelayMs } from './retry-backoff.js';
import { dispatchedRun, resultOf, type RunRecord, type RunSpec } from './run.record.js';
import type { FirstDispatch, RunToMake } from './first-dispatch.js';
import { consideredText, type ParkedRun, RunStore } from './run-store.js';
import { RunWaiters } from './run-waiters.js';
import { RunWatch, type WatchedRun } from './run-watch.js';

/** A place at an agent outlives the attempt by this, so that it is not given away while its answer is being written down. */
const PLACE_GRACE_MS = 10_000;
/** How long Redis may take for one step of a run. */
const STEP_MS = 10_000;
/** How long what came of a dispatch is kept for a Redis that is away. */
const PERSIST_MS = 60_000;
const PERSIST_PAUSE_MS = 100;
/** How long a run that is about to be made waits for a look at the agents; then it is made without. */
const ROUTE_WAIT_MS = 50;
/** First look for an agent again after this; doubles up to the second. */
const NO_AGENT_PAUSE_MS = 250;
const NO_AGENT_MAX_PAUSE_MS = 2_000;
/** An attempt whose agent was lost is repeated this often, beside the retries that the caller asked for. */
const MAX_REDISPATCHES = 5;
const MAX_MESSAGE_CHARS = 1_000;

/** Told when an agent has answered, and how long what is written down of it is, in characters. */
export type Answered = (length: number) => void;

/** The place that a run gives back as it ends. */
interface Leaving {
  place: AgentPlace;
  outcome: PlaceOutcome;
  tookMs: number;
}

/** Thrown out of the search for an agent: the run is somebody else's by now. */
const OVERTAKEN = new Error('the run is somebody else’s by now');

/**
 * Executes one hand-over of a run: takes a place at an agent, begins the attempt under a new epoch, calls the agent,
 * writes down how it ended. Every write is fenced by the epoch, so whatever a slow, frozen or replaced replica still does
 * here changes nothing.
 */
@Injectable()
export class RunExecutor {
  private readonly logger = new Logger(RunExecutor.name);
  private readonly underWay = new Set<CallStop>();

  constructor(
    private readonly store: RunStore,
    private readonly agents: AgentsService,
    private readonly gate: RedisGate,
    private readonly dueLoop: DueLoop,
    private readonly waiters: RunWaiters,
    private readonly watch: RunWatch,
    private readonly stats: DispatchStats,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** Breaks off every attempt under way and puts its run back, for another replica. */
  abandonAll(): void {
    for (const stop of this.underWay) stop.stop();
  }

  /**
   * Executes one hand-over; one that is older than the run's newest is a leftover and does nothing.
   * @param answered called when the agent has answered well and only the writing down is left, with the length of what is written; what is
   * begun by it gets the run's place at the agent, if need be
   * @returns the runs that this one was divided into, to hand over
   * @throws CommandError UNAVAILABLE when Redis fails on the way; the due index brings the run back
   */
  async execute(handed: HandedRun, answered: Answered = ignore): Promise<HandedRun[]> {
    const { namespace, runId } = handed;
    const watched = handed.watched ?? this.watch.begin(namespace, runId);
    try {
      if (handed.begunAt !== undefined && handed.record !== undefined) {
        await this.carryOn(handed.record, handed.begunAt, watched, answered);
        return [];
      }
      const run = handed.record ?? (await this.step((redis) => this.store.look(redis, namespace, runId)));
      if (run instanceof BrokenRecordError) return await none(this.failBroken(run, handed));
      if (run === undefined || isFinalRunState(run.state)) return [];
      if (run.enqueues !== handed.enqueues || run.dueAt !== undefined) return [];
      // Begun by another replica while it waited for a place here.
      if (handed.foundEpoch !== undefined && run.epoch !== handed.foundEpoch) return [];

      if (run.partsCount === undefined && isDivided(run)) return await this.divide(run);
      await (run.partsCount === undefined ? this.dispatch(run, watched, answered) : this.conclude(run));
      return [];
    } finally {
      watched.end();
    }
  }

  /** Where a run may begin as it is made; undefined when it must be looked after as usual. Never throws. */
  async firstDispatch(run: RunToMake): Promise<FirstDispatch | undefined> {
    if (isDivided(run)) return undefined;
    try {
      const request = placeFor(run, 1, undefined, run.failedAgentIds, Date.now() + ROUTE_WAIT_MS);
      const routed = await this.agents.route(request);
      if (routed === undefined) return undefined;
      return { query: routed.query, lookMs: this.watch.lookMs, considered: consideredText(routed.rejected) };
    } catch {
      return undefined;
    }
  }

  /** The first dispatch of a run that was begun as it was made. */
  private async carryOn(run: RunRecord, place: GivenPlace, watched: WatchedRun, answered: Answered): Promise<void> {
    const { namespace, runId } = run;
    watched.epoch = 1;
    const held = this.agents.held({ namespace, runId, epoch: 1 }, place);
    const dispatch = { state: 'running', attempt: 1, epoch: 1, agentId: place.agentId } as const;
    await this.attempt(dispatchedRun(run, dispatch), held, answered);
  }

  private async dispatch(run: RunRecord, watched: WatchedRun, answered: Answered): Promise<void> {
    const attempt = repeatsAttempt(run) ? Math.max(1, run.attempt) : run.attempt + 1;
    let place: AgentPlace;
    try {
      place = await this.begin(run, attempt);
    } catch (error) {
      if (error === OVERTAKEN) return;
      if (error instanceof CommandError && error.code === 'NO_AGENT') return this.waitForAgent(run, error);
      throw error;
    }
    const epoch = run.epoch + 1;
    watched.epoch = epoch;
    const { agentId } = place;
    await this.attempt(dispatchedRun(run, { state: run.state, attempt, epoch, agentId }), place, answered);
  }

  /** @throws OVERTAKEN when somebody else has begun or ended the run; CommandError as AgentsService.acquire */
  private async begin(run: RunRecord, attempt: number): Promise<AgentPlace> {
    // An agent that still works on a repeated attempt joins it to the one under way instead of doing it twice.
    const goesOn = run.agentId !== undefined && !run.failedAgentIds.includes(run.agentId) && repeatsAttempt(run);
    // Before its first attempt a run knows none but the one that `run.retry` wants to be avoided.
    const avoids = run.spec.retry.onOtherAgent || repeatsAttempt(run) || run.attempt === 0;
    const avoid = avoids ? run.failedAgentIds : [];
    const request = placeFor(run, run.epoch + 1, goesOn ? run.agentId : undefined, avoid);
    return this.agents.acquire(request, async (query, rejected) => {
      const taken = await this.store.begin(run, attempt, query, rejected, this.watch.lookMs);
      if (taken === undefined) throw OVERTAKEN;
      return taken;
    });
  }

  private async attempt(run: RunRecord, place: AgentPlace, answered: Answered): Promise<void> {
    // Stopped by a shutdown whose drain ran out of time.
    const stop = new CallStop();
    this.underWay.add(stop);
    this.stats.dispatched();
    const startedAt = performance.now();
    try {
      const value = await place.execute(executeRequest(run), { deadlineAt: Date.now() + run.spec.timeoutMs, stop });
      const result = JSON.stringify(value ?? null);
      const leaving = { place, outcome: 'succeeded', tookMs: performance.now() - startedAt } as const;
      const written = this.succeeded(run, result, stop, leaving);
      // Not before: what is asked for from now on is done after it.
      answered(result.length);
      await written;
    } catch (error) {
      if (!(error instanceof AgentCallError)) {
        await place.release('abandoned', performance.now() - startedAt);
        throw error;
      }
      const released = place.release(error.outcome, performance.now() - startedAt);
      await Promise.all([released, stop.isStopped ? this.putBack(run) : this.failed(run, error, stop)]);
    } finally {
      this.underWay.delete(stop);
      countWork('run.dispatch');
    }
  }

  private async succeeded(run: RunRecord, result: string, stop?: CallStop, leaving?: Leaving): Promise<void> {
    const bytes = Buffer.byteLength(result);
    if (bytes > this.settings.maxResultBytes) {
      const message = `the result has ${bytes} bytes; MAX_RESULT_BYTES is ${this.settings.maxResultBytes}`;
      return this.end(run, 'failed', { code: 'INVALID_ARGUMENT', message, agentId: run.agentId }, stop, leaving);
    }
    const { applied, released } = await this.finish(run, { state: 'succeeded', result }, stop, leaving);
    if (released) this.dueLoop.wakeWithin(0);
    if (applied) this.waiters.ended(run.namespace, run.runId);
    else this.logger.debug(`late answer of run ${run.runId} epoch ${run.epoch} dropped`);
  }

  /** Nobody will ever be able to execute it; what waits for its end must not wait for ever. */
  private async failBroken(broken: BrokenRecordError, { namespace, enqueues }: HandedRun): Promise<void> {
    const newest = broken.fields.enqueues ?? '';
    // A leftover, as of any other run.
    if (/^\d+$/.test(newest) && Number(newest) !== enqueues) return;
    this.logger.error(`${broken.message}; it is ended`);
    if (await this.step(() => this.store.fail(broken, namespace))) this.dueLoop.wakeWithin(0);
    this.stats.failed();
    this.waiters.ended(namespace, broken.id);
  }

  /** The shutdown does not wait any longer; the agent may go on, and another replica joins it. */
  private async putBack(run: RunRecord): Promise<void> {
    await this.step((redis) =>
      this.store.park(redis, run, run.epoch, { state: 'waiting', delayMs: 0, repeatsAttempt: true }),
    );
  }

  private async failed(run: RunRecord, cause: AgentCallError, stop: CallStop): Promise<void> {
    const error: RunError = {
      code: cause.code,
      message: cause.message.slice(0, MAX_MESSAGE_CHARS),
      agentId: run.agentId,
    };
    const { kind } = cause;
    if (run.redispatches < this.maxRedispatches(kind)) {
      // Another agent can take it at once; the same one (of one) is given a moment.
      const delayMs = Math.min(50 * 2 ** run.redispatches, NO_AGENT_MAX_PAUSE_MS);
      const again = { failedAgentId: run.agentId, repeatsAttempt: true, redispatched: true };
      await this.park(run, { state: 'waiting', delayMs, error, ...again }, stop);
      return;
    }
    const mayRetry = cause.details?.retryable !== false && run.attempt < run.spec.retry.maxAttempts;
    if (mayRetry) {
      const delayMs = retryDelayMs(run.spec.retry, run.attempt);
      await this.park(run, { state: 'retrying', delayMs, error, failedAgentId: run.agentId }, stop);
      return;
    }
    await this.end(run, kind === 'timeout' ? 'timed-out' : 'failed', error, stop);
  }

  /**
   * How often an attempt that ended like this is repeated. Where nothing was executed (the only agent is being replaced, say) there was no
   * agent: as long as a run waits for one it goes on asking.
   */
  private maxRedispatches(kind: AgentCallError['kind']): number {
    if (kind === 'lost') return MAX_REDISPATCHES;
    if (kind !== 'unreachable' && kind !== 'busy') return 0;
    return MAX_REDISPATCHES + Math.ceil(this.settings.noAgentWaitMs / NO_AGENT_MAX_PAUSE_MS);
  }

  /** Broadcast and shard: one part for every agent that may execute now. */
  private async divide(run: RunRecord): Promise<HandedRun[]> {
    const { namespace, spec } = run;
    const request = { namespace, route: spec.route, jobName: spec.job.name };
    const { agentIds, considered } = await this.agents.matching(request, Date.now() + STEP_MS);
    if (agentIds.length === 0) {
      const nobody = new CommandError('NO_AGENT', 'no agent matches the route', { agentsConsidered: considered });
      return none(this.waitForAgent(run, nobody));
    }
    const divided = await this.step((redis) => this.store.divide(redis, run, partSpecs(run, agentIds)));
    return (divided?.partIds ?? []).map((runId) => ({
      namespace,
      runId,
      enqueues: 1,
      priority: spec.priority,
      foundEpoch: 0,
    }));
  }

  /** The last part has ended: so does the run, with what became of each. */
  private async conclude(run: RunRecord): Promise<void> {
    const parts = await this.step((redis) => this.store.parts(redis, run));
    if (parts.some((part) => !isFinalRunState(part.state))) return;
    const outcomes = parts.flatMap((part) => outcomeOf(part) ?? []);
    const failed = parts.filter(({ state }) => state !== 'succeeded');
    // Of one that ended longer ago than runs are kept, or whose record is broken, nobody knows any more how.
    const unknownCount = (run.partsCount ?? 0) - outcomes.length;
    if (failed.length === 0 && unknownCount === 0) return this.succeeded(run, JSON.stringify(outcomes));
    const first = failed.at(0);
    const why = first === undefined ? 'forgotten before the last one ended' : (first.error?.message ?? first.state);
    const error: RunError = {
      code: first?.error?.code ?? 'INTERNAL',
      message: `${failed.length + unknownCount} of ${run.partsCount} parts did not succeed: ${why}`,
    };
    const isTimeout = unknownCount === 0 && failed.every(({ state }) => state === 'timed-out');
    await this.end(run, isTimeout ? 'timed-out' : 'failed', error);
  }

  private async waitForAgent(run: RunRecord, cause: CommandError): Promise<void> {
    const waitedSoFarMs = run.waitingSince === undefined ? 0 : Math.max(0, Date.now() - run.waitingSince);
    this.stats.foundNoAgent();
    const pauseMs = Math.min(NO_AGENT_MAX_PAUSE_MS, NO_AGENT_PAUSE_MS + waitedSoFarMs / 4);
    const error: RunError = { code: 'NO_AGENT', message: cause.message };
    const parked = await this.park(run, {
      state: 'waiting',
      delayMs: Math.round(pauseMs),
      error,
      repeatsAttempt: repeatsAttempt(run),
      noAgent: true,
      considered: cause.details?.agentsConsidered as RunRecord['considered'],
    });
    if (parked !== undefined && parked.waitedMs >= this.settings.noAgentWaitMs) await this.end(run, 'failed', error);
  }

  private async park(
    run: RunRecord,
    how: Parameters<RunStore['park']>[3],
    stop?: CallStop,
  ): Promise<ParkedRun | undefined> {
    const parked = await this.persist(stop, () => this.step((redis) => this.store.park(redis, run, run.epoch, how)));
    if (parked !== undefined) this.dueLoop.wakeWithin(how.delayMs);
    return parked;
  }

  private async end(
    run: RunRecord,
    state: 'failed' | 'timed-out',
    error: RunError,
    stop?: CallStop,
    leaving?: Leaving,
  ): Promise<void> {
    const { applied, released } = await this.finish(run, { state, error }, stop, leaving);
    if (released) this.dueLoop.wakeWithin(0);
    if (!applied) return;
    this.stats.failed();
    this.waiters.ended(run.namespace, run.runId);
  }

  /** Ends the run and gives its place back, in one step. */
  private async finish(
    run: RunRecord,
    end: Parameters<RunStore['finish']>[2],
    stop: CallStop | undefined,
    leaving: Leaving | undefined,
  ): ReturnType<RunStore['finish']> {
    if (leaving === undefined) return this.persist(stop, () => this.store.finish(run, run.epoch, end));
    const { place, outcome, tookMs } = leaving;
    const released = place.toRelease(outcome, tookMs);
    const reply = await this.persist(stop, () => this.store.finish(run, run.epoch, end, released));
    place.releasedWith(reply.place);
    return reply;
  }

  /**
   * Writes down what came of a dispatch, again while Redis is away: it is fenced, so a repetition changes nothing, and what an agent
   * has done need not be done anew. A shutdown ends it (`stop`); then, and after a while, the due index brings the run back.
   */
  private async persist<T>(stop: CallStop | undefined, work: () => Promise<T>): Promise<T> {
    const until = performance.now() + PERSIST_MS;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const isAway = error instanceof CommandError && error.code === 'UNAVAILABLE';
        if (!isAway || stop === undefined || stop.isStopped || performance.now() > until) throw error;
        await sleep(PERSIST_PAUSE_MS, undefined, { ref: false });
      }
    }
  }

  private step<T>(work: (redis: RedisClient) => Promise<T>): Promise<T> {
    return this.gate.run(Date.now() + STEP_MS, work);
  }
}

function ignore(): void {
  // Nobody waits for the answer alone.
}

/** Nothing to hand over when this has happened. */
async function none(work: Promise<void>): Promise<HandedRun[]> {
  await work;
  return [];
}

/** How a part ended; undefined when that cannot be read. */
function outcomeOf(part: RunRecord): object | undefined {
  const { runId, agentId, state, error } = part;
  try {
    const result = resultOf(part);
    return { runId, agentId, state, ...(result === undefined ? {} : { result }), ...(error && { error }) };
  } catch {
    return undefined;
  }
}

function isDivided({ spec, parentId }: Pick<RunRecord, 'spec' | 'parentId'>): boolean {
  return parentId === undefined && (spec.route.strategy === 'broadcast' || spec.route.strategy === 'shard');
}

/** The place that a run needs, as agents are asked for it. */
function placeFor(
  { namespace, runId, scheduleId, spec }: RunToMake,
  epoch: number,
  preferAgentId: string | undefined,
  avoidAgentIds: readonly string[],
  deadlineAt?: number,
): AcquireRequest {
  const { strategy, labels, agentIds, stickyKey = scheduleId ?? spec.job.name } = spec.route;
  return {
    namespace,
    route: { strategy, labels, agentIds, stickyKey },
    jobName: spec.job.name,
    runId,
    epoch,
    leaseMs: spec.timeoutMs + PLACE_GRACE_MS,
    preferAgentId,
    avoidAgentIds,
    deadlineAt,
  };
}

/** One part per agent; of a `shard` each knows which part of how many it is. */
function partSpecs({ spec, runId }: RunRecord, agentIds: readonly string[]): RunSpec[] {
  const { resultKey: _resultKey, idempotencyKey = runId, ...rest } = spec;
  return agentIds.map((agentId, index) => ({
    ...rest,
    route: { strategy: 'random', agentIds: [agentId] },
    idempotencyKey: `${idempotencyKey}.${index}`,
    ...(spec.route.strategy === 'shard' ? { shard: { index, total: agentIds.length } } : {}),
  }));
}

/** A run found running was left there by a replica that died: the same attempt goes on. */
function repeatsAttempt(run: RunRecord): boolean {
  return run.repeatsAttempt || run.state === 'running';
}

function executeRequest(run: RunRecord): AgentExecuteRequest {
  return {
    runId: run.runId,
    job: run.spec.job,
    attempt: run.attempt,
    epoch: run.epoch,
    idempotencyKey: run.spec.idempotencyKey ?? run.runId,
    deadlineMs: run.spec.timeoutMs,
    scheduleId: run.scheduleId,
    tickAt: run.tickAt,
    shard: run.spec.shard,
  };
}
