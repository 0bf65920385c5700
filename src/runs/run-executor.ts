import { Inject, Injectable, Logger } from '@nestjs/common';
import { AgentCallError } from '../agents/agent-call.error.js';
import { type AgentPlace, AgentsService } from '../agents/agents.service.js';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import type { AgentExecuteRequest } from '../contract/agent.schema.js';
import { CommandError } from '../contract/command-error.js';
import type { RunError } from '../contract/run.schema.js';
import { isFinalRunState } from '../contract/run.schema.js';
import type { RedisClient } from '../redis/redis-client.js';
import { RedisGate } from '../redis/redis-gate.js';
import { DispatchStats } from './dispatch-stats.js';
import type { EngineJob } from './engine-job.js';
import { DueLoop } from './due-loop.js';
import { retryDelayMs } from './retry-backoff.js';
import type { RunRecord, RunSpec } from './run.record.js';
import { type ParkedRun, RunStore } from './run-store.js';
import { RunWaiters } from './run-waiters.js';

/** A place at an agent outlives the attempt by this, so that it is not given away while its answer is being written down. */
const PLACE_GRACE_MS = 10_000;
/** How long Redis may take for one step of a run. */
const STEP_MS = 10_000;
/** First look for an agent again after this; doubles up to the second. */
const NO_AGENT_PAUSE_MS = 250;
const NO_AGENT_MAX_PAUSE_MS = 2_000;
/** An attempt whose agent was lost is repeated this often, beside the retries that the caller asked for. */
const MAX_REDISPATCHES = 5;
const MAX_MESSAGE_CHARS = 1_000;

/** Thrown into an attempt by a shutdown whose drain ran out of time. */
const ABANDONED = Symbol('abandoned');

/**
 * Executes one hand-over of a run: takes a place at an agent, begins the attempt under a new epoch, calls the agent,
 * writes down how it ended. Every write is fenced by the epoch, so whatever a slow, frozen or replaced replica still does
 * here changes nothing.
 */
@Injectable()
export class RunExecutor {
  private readonly logger = new Logger(RunExecutor.name);
  private readonly underWay = new Set<AbortController>();

  constructor(
    private readonly store: RunStore,
    private readonly agents: AgentsService,
    private readonly gate: RedisGate,
    private readonly dueLoop: DueLoop,
    private readonly waiters: RunWaiters,
    private readonly stats: DispatchStats,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** Breaks off every attempt under way and puts its run back, for another replica. */
  abandonAll(): void {
    for (const controller of this.underWay) controller.abort(ABANDONED);
  }

  /**
   * @param enqueues the hand-over; an older one than the run's newest is a leftover and does nothing
   * @returns the runs that this one was divided into, to hand over
   * @throws CommandError UNAVAILABLE when Redis fails on the way; the due index brings the run back
   */
  async execute(namespace: string, runId: string, enqueues: number): Promise<EngineJob[]> {
    const run = await this.step((redis) => this.store.load(redis, namespace, runId));
    if (run === undefined || isFinalRunState(run.state) || run.enqueues !== enqueues || run.dueAt !== undefined)
      return [];

    if (run.partsCount !== undefined) return none(this.conclude(run));
    if (isDivided(run)) return this.divide(run);
    let place: AgentPlace;
    try {
      place = await this.takePlace(run);
    } catch (error) {
      if (error instanceof CommandError && error.code === 'NO_AGENT') return none(this.waitForAgent(run, error));
      throw error;
    }

    const attempt = repeatsAttempt(run) ? Math.max(1, run.attempt) : run.attempt + 1;
    let epoch: number | undefined;
    try {
      epoch = await this.step((redis) => this.store.start(redis, run, attempt, place.agentId, place.considered));
    } catch (error) {
      await place.release('abandoned', 0);
      throw error;
    }
    if (epoch === undefined) return none(place.release('abandoned', 0));
    return none(this.attempt({ ...run, attempt, epoch, agentId: place.agentId }, place));
  }

  private async takePlace(run: RunRecord): Promise<AgentPlace> {
    // An agent that still works on a repeated attempt joins it to the one under way instead of doing it twice.
    const goesOn = run.agentId !== undefined && !run.failedAgentIds.includes(run.agentId) && repeatsAttempt(run);
    const prefer = goesOn ? run.agentId : undefined;
    const avoid = run.spec.retry.onOtherAgent || repeatsAttempt(run) ? run.failedAgentIds : [];
    return this.agents.acquire({
      namespace: run.namespace,
      route: { ...run.spec.route, stickyKey: run.spec.route.stickyKey ?? run.scheduleId ?? run.spec.job.name },
      jobName: run.spec.job.name,
      runId: run.runId,
      epoch: run.epoch + 1,
      leaseMs: run.spec.timeoutMs + PLACE_GRACE_MS,
      preferAgentId: prefer,
      avoidAgentIds: avoid,
    });
  }

  private async attempt(run: RunRecord, place: AgentPlace): Promise<void> {
    const controller = new AbortController();
    this.underWay.add(controller);
    this.stats.dispatched();
    const startedAt = performance.now();
    try {
      const value = await place.execute(executeRequest(run), {
        deadlineAt: Date.now() + run.spec.timeoutMs,
        signal: controller.signal,
      });
      const tookMs = performance.now() - startedAt;
      // Sent together, in this order.
      await Promise.all([this.succeeded(run, JSON.stringify(value ?? null)), place.release('succeeded', tookMs)]);
    } catch (error) {
      if (!(error instanceof AgentCallError)) {
        await place.release('abandoned', performance.now() - startedAt);
        throw error;
      }
      await place.release(error.outcome, performance.now() - startedAt);
      if (controller.signal.reason === ABANDONED) await this.putBack(run);
      else await this.failed(run, error);
    } finally {
      this.underWay.delete(controller);
    }
  }

  private async succeeded(run: RunRecord, result: string): Promise<void> {
    const bytes = Buffer.byteLength(result);
    if (bytes > this.settings.maxResultBytes) {
      return this.end(run, 'failed', {
        code: 'INVALID_ARGUMENT',
        message: `the result has ${bytes} bytes; MAX_RESULT_BYTES is ${this.settings.maxResultBytes}`,
        agentId: run.agentId,
      });
    }
    const { applied, released } = await this.step((redis) =>
      this.store.finish(redis, run, run.epoch, { state: 'succeeded', result }),
    );
    if (released) this.dueLoop.wakeWithin(0);
    if (applied) this.waiters.ended(run.namespace, run.runId);
    else this.logger.debug(`late answer of run ${run.runId} epoch ${run.epoch} dropped`);
  }

  /** The shutdown does not wait any longer; the agent may go on, and another replica joins it. */
  private async putBack(run: RunRecord): Promise<void> {
    await this.step((redis) =>
      this.store.park(redis, run, run.epoch, { state: 'waiting', delayMs: 0, repeatsAttempt: true }),
    );
  }

  private async failed(run: RunRecord, cause: AgentCallError): Promise<void> {
    const error: RunError = {
      code: cause.code,
      message: cause.message.slice(0, MAX_MESSAGE_CHARS),
      agentId: run.agentId,
    };
    const { kind } = cause;
    const notExecuted = kind === 'unreachable' || kind === 'busy';
    if ((notExecuted || kind === 'lost') && run.redispatches < MAX_REDISPATCHES) {
      await this.park(run, {
        state: 'waiting',
        // Another agent can take it at once; the same one (of one) is given a moment.
        delayMs: Math.min(50 * 2 ** run.redispatches, 1_000),
        error,
        failedAgentId: run.agentId,
        repeatsAttempt: true,
        redispatched: true,
      });
      return;
    }
    const mayRetry = cause.details?.retryable !== false && run.attempt < run.spec.retry.maxAttempts;
    if (mayRetry) {
      await this.park(run, {
        state: 'retrying',
        delayMs: retryDelayMs(run.spec.retry, run.attempt),
        error,
        failedAgentId: run.agentId,
      });
      return;
    }
    await this.end(run, kind === 'timeout' ? 'timed-out' : 'failed', error);
  }

  /** Broadcast and shard: one part for every agent that may execute now. */
  private async divide(run: RunRecord): Promise<EngineJob[]> {
    const { namespace, spec } = run;
    const request = { namespace, route: spec.route, jobName: spec.job.name };
    const { agentIds, considered } = await this.agents.matching(request, Date.now() + STEP_MS);
    if (agentIds.length === 0) {
      const nobody = new CommandError('NO_AGENT', 'no agent matches the route', { agentsConsidered: considered });
      return none(this.waitForAgent(run, nobody));
    }
    const divided = await this.step((redis) => this.store.divide(redis, run, partSpecs(run, agentIds)));
    return (divided?.partIds ?? []).map((runId) => ({ namespace, runId, enqueues: 1, priority: spec.priority }));
  }

  /** The last part has ended: so does the run, with what became of each. */
  private async conclude(run: RunRecord): Promise<void> {
    const parts = await this.step((redis) => this.store.parts(redis, run));
    if (parts.some((part) => !isFinalRunState(part.state))) return;
    const outcomes = parts.map(({ runId, agentId, state, result, error }) => ({
      runId,
      agentId,
      state,
      ...(result === undefined ? {} : { result: JSON.parse(result) as unknown }),
      ...(error === undefined ? {} : { error }),
    }));
    const failed = parts.filter(({ state }) => state !== 'succeeded');
    if (failed.length === 0) return this.succeeded(run, JSON.stringify(outcomes));
    const error: RunError = {
      code: failed[0].error?.code ?? 'INTERNAL',
      message: `${failed.length} of ${run.partsCount} parts did not succeed: ${failed[0].error?.message ?? failed[0].state}`,
    };
    await this.end(run, failed.every(({ state }) => state === 'timed-out') ? 'timed-out' : 'failed', error);
  }

  private async waitForAgent(run: RunRecord, cause: CommandError): Promise<void> {
    const waitedSoFarMs = run.waitingSince === undefined ? 0 : Math.max(0, Date.now() - run.waitingSince);
    const pauseMs = Math.min(NO_AGENT_MAX_PAUSE_MS, NO_AGENT_PAUSE_MS + waitedSoFarMs / 4);
    const error: RunError = { code: 'NO_AGENT', message: cause.message };
    const parked = await this.park(run, {
      state: 'waiting',
      delayMs: Math.round(pauseMs),
      error,
      repeatsAttempt: run.repeatsAttempt,
      noAgent: true,
      considered: cause.details?.agentsConsidered as RunRecord['considered'],
    });
    if (parked !== undefined && parked.waitedMs >= this.settings.noAgentWaitMs) await this.end(run, 'failed', error);
  }

  private async park(run: RunRecord, how: Parameters<RunStore['park']>[3]): Promise<ParkedRun | undefined> {
    const parked = await this.step((redis) => this.store.park(redis, run, run.epoch, how));
    if (parked !== undefined) this.dueLoop.wakeWithin(how.delayMs);
    return parked;
  }

  private async end(run: RunRecord, state: 'failed' | 'timed-out', error: RunError): Promise<void> {
    const { applied, released } = await this.step((redis) =>
      this.store.finish(redis, run, run.epoch, { state, error }),
    );
    if (released) this.dueLoop.wakeWithin(0);
    if (!applied) return;
    this.stats.failed();
    this.waiters.ended(run.namespace, run.runId);
  }

  private step<T>(work: (redis: RedisClient) => Promise<T>): Promise<T> {
    return this.gate.run(Date.now() + STEP_MS, work);
  }
}

/** Nothing to hand over when this has happened. */
async function none(work: Promise<void>): Promise<EngineJob[]> {
  await work;
  return [];
}

function isDivided({ spec, parentId }: RunRecord): boolean {
  return parentId === undefined && (spec.route.strategy === 'broadcast' || spec.route.strategy === 'shard');
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
    ...(run.scheduleId === undefined ? {} : { scheduleId: run.scheduleId }),
    ...(run.tickAt === undefined ? {} : { tickAt: run.tickAt }),
    ...(run.spec.shard === undefined ? {} : { shard: run.spec.shard }),
  };
}
