import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import { CommandError } from '../contract/command-error.js';
import type { ScheduleSpec } from '../contract/schedule.schema.js';
import type { RunError, RunState } from '../contract/run.schema.js';
import { BrokenRecordError } from '../redis/broken-record.error.js';
import type { RedisClient } from '../redis/redis-client.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { GatheredScript } from '../redis/gathered-script.js';
import { RedisGate } from '../redis/redis-gate.js';
import { RedisScript } from '../redis/redis-script.js';
import {
  AgentsService,
  type GivenPlace,
  type PlaceQuery,
  type ReleasedPlace,
  type TakenPlace,
  takenPlace,
} from '../agents/agents.service.js';
import { divideRunLua } from './divide-run.lua.js';
import type { FinishReply } from './finish-run.lua.js';
import type { FirstDispatch } from './first-dispatch.js';
import { parkRunLua } from './park-run.lua.js';
import { requeueRunLua } from './requeue-run.lua.js';
import { readRun } from './run-reader.js';
import { newRun, type RunRecord, type RunSpec } from './run.record.js';
import { type RunStep, runStepsLua } from './run-steps.lua.js';
import type { SubmitReply } from './submit-run.lua.js';

/** A run that nobody has begun after this long is handed to the engine again: its first hand-over may have been lost. */
export const OUTBOX_MS = 5_000;

/** A run that waits for others (buffered, or divided into parts) is looked at again after this, should their end go unnoticed. */
const WAIT_LOOK_MS = 30_000;

export interface NewRun {
  namespace: string;
  runId: string;
  scheduleId?: string;
  spec: RunSpec;
  delayMs?: number;
  /** ms since the epoch; in the past: at once. */
  at?: number;
  /** What counts of the schedule's other runs. Default: allow. */
  overlap?: ScheduleSpec['overlap'];
  /** The run that this one repeats: it is no dead letter any more. */
  retryOf?: string;
  /** The agent to avoid. */
  failedAgentId?: string;
  /** Whose keys `idempotencyKey` is unique among. */
  idempotencyScope: string;
  idempotencyKey?: string;
}

/** A run that came due, to be handed over. */
export interface RequeuedRun {
  enqueues: number;
  wasPutOff: boolean;
  /** It was under way, at a replica that is gone. */
  wasRunning: boolean;
  epoch: number;
  priority?: number;
}

export interface SubmittedRun {
  runId: string;
  deduplicated: boolean;
  /** Set when the run waits for its time. */
  dueAt?: number;
  /** It waits for the run of its schedule that is under way. */
  buffered: boolean;
  /** Runs that had to end for it. */
  cancelled: CancelledRun[];
  /** As it was written down, if it was made just now and waits for nothing. */
  record: RunRecord;
  /** Where it was begun already. */
  place?: GivenPlace;
}

/** A run that was ended while an agent may still be busy with it. */
export interface CancelledRun {
  runId: string;
  /** Where it was running; '' when nowhere. */
  agentId: string;
  epoch: number;
}

/** What a script answers as `[[runId, agentId, epoch], …]`; an empty Lua table is an object in JSON. */
export function cancelledRuns(rows: unknown): CancelledRun[] {
  if (!Array.isArray(rows)) return [];
  return (rows as [string, string, number][]).map(([runId, agentId, epoch]) => ({ runId, agentId, epoch }));
}

/** An agent that was considered for a run, and why it was not chosen. */
type Considered = NonNullable<RunRecord['considered']>[number];

/** Agents kept with a run at most. */
const MAX_CONSIDERED = 20;

export interface ParkedRun {
  dueAt: number;
  /** How long no agent could take the run. */
  waitedMs: number;
}

/** Runs in Redis: every change is one script, fenced by the run's epoch. */
@Injectable()
export class RunStore {
  private readonly divideScript = new RedisScript<number>('divide-run', divideRunLua);
  private readonly parkScript = new RedisScript<number[]>('park-run', parkRunLua);
  private readonly requeueScript = new RedisScript<[number, number, number, number, number] | []>(
    'requeue-run',
    requeueRunLua,
  );
  private readonly steps: GatheredScript<RunStep, unknown>;

  constructor(
    private readonly keys: RedisKeys,
    gate: RedisGate,
    agents: AgentsService,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    const { idempotencyWindowMs, maxOpenRuns } = settings;
    this.steps = new GatheredScript(gate, 'run-steps', runStepsLua, keys.key('due'), () => [
      keys.key(),
      ...this.keep,
      OUTBOX_MS,
      idempotencyWindowMs,
      maxOpenRuns,
      ...agents.releaseRules,
    ]);
  }

  /** What is kept of ended runs, as the scripts take it: ms, runs of a schedule, runs of a namespace, ms of results, ms of the place of a cancelled one. */
  get keep(): [number, number, number, number, number] {
    const { runRetentionMs, runsKeptPerSchedule, runsKeptPerNamespace, resultRetentionMs, runLockMs } = this.settings;
    return [runRetentionMs, runsKeptPerSchedule, runsKeptPerNamespace, resultRetentionMs, runLockMs];
  }

  /**
   * @param begin lets it begin as it is made
   * @param deadlineAt ms since the epoch by this process's clock
   * @throws CommandError UNAVAILABLE when Redis does not answer by the deadline, RATE_LIMITED when MAX_OPEN_RUNS have not ended yet,
   * OVERLAP_SKIPPED when the schedule's policy refuses a second run
   */
  async submit(run: NewRun, begin: FirstDispatch | undefined, deadlineAt: number): Promise<SubmittedRun> {
    const { namespace, scheduleId, spec, idempotencyKey, overlap = 'allow' } = run;
    const { job, route, retry, timeoutMs, priority, resultKey, shard } = spec;
    const runSpec: RunSpec =
      run.retryOf === undefined ? { job, route, retry, timeoutMs, priority, resultKey, shard, idempotencyKey } : spec;
    const failedAgentIds = run.failedAgentId === undefined ? [] : [run.failedAgentId];
    const specText = JSON.stringify(runSpec);
    const item = {
      step: 'submit',
      ns: namespace,
      runId: run.runId,
      scheduleId,
      specText,
      resultKey: spec.resultKey,
      priority: spec.priority,
      delayMs: run.delayMs,
      at: run.at,
      idempotencyScope: run.idempotencyScope,
      idempotencyKey,
      overlap,
      retryOf: run.retryOf,
      failedAgentId: run.failedAgentId,
      begin,
    } as const;
    const reply = (await this.steps.run(item, deadlineAt)) as SubmitReply;
    if ('refused' in reply) {
      if (reply.refused === 'full') {
        throw new CommandError(
          'RATE_LIMITED',
          `${this.settings.maxOpenRuns} schedules and runs have not ended yet (MAX_OPEN_RUNS)`,
        );
      }
      throw new CommandError(
        'OVERLAP_SKIPPED',
        `schedule ${scheduleId} has a run under way, and overlap is ${overlap}`,
      );
    }
    const { runId, created, dueAt, buffered = false } = reply;
    const record = newRun({ namespace, runId, scheduleId, spec: runSpec, failedAgentIds }, reply.at, specText);
    const cancelled = cancelledRuns(reply.cancelled);
    return { runId, deduplicated: !created, dueAt, buffered, cancelled, record, place: givenPlace(reply.place) };
  }

  /**
   * The run, or undefined when it is not known (any more).
   * @throws BrokenRecordError
   */
  async load(redis: RedisClient, namespace: string, runId: string): Promise<RunRecord | undefined> {
    const run = await this.look(redis, namespace, runId);
    if (run instanceof BrokenRecordError) throw run;
    return run;
  }

  /** As {@link load}, for whom a broken record is no reason to fail. */
  look(redis: RedisClient, namespace: string, runId: string): Promise<RunRecord | BrokenRecordError | undefined> {
    return readRun(redis, this.keys.key('run', namespace, runId), runId);
  }

  /**
   * Takes a place at an agent and begins a dispatch there, both or neither.
   * @param lookMs until the run is looked after again
   * @returns undefined when somebody else was faster or the run has ended
   */
  async begin(
    run: RunRecord,
    attempt: number,
    query: PlaceQuery,
    considered: readonly Considered[],
    lookMs: number,
  ): Promise<TakenPlace | undefined> {
    const reply = (await this.steps.run({
      step: 'begin',
      ns: run.namespace,
      runId: run.runId,
      epoch: String(run.epoch),
      attempt,
      lookMs,
      query,
      priorAgentId: run.epoch === 0 ? undefined : run.agentId,
      considered: consideredText(considered),
    })) as string[];
    return reply[0] === 'stale' ? undefined : takenPlace(reply);
  }

  /**
   * Divides the run into one part per agent; it ends when the last of them has.
   * @returns the new epoch and the parts to hand over, or undefined when somebody else was faster or the run has ended
   */
  async divide(
    redis: RedisClient,
    run: RunRecord,
    parts: readonly RunSpec[],
  ): Promise<{ epoch: number; partIds: string[] } | undefined> {
    const partIds = parts.map((_part, index) => partId(run.runId, index));
    const request = {
      parts: parts.map((spec, index) => ({
        runId: partIds[index],
        specText: JSON.stringify(spec),
        priority: spec.priority,
      })),
      outboxMs: OUTBOX_MS,
      lookMs: WAIT_LOOK_MS,
      scheduleId: run.scheduleId,
      tickAt: run.tickAt === undefined ? undefined : String(run.tickAt),
    };
    const epoch = await this.run(redis, this.divideScript, [
      run.namespace,
      run.runId,
      run.epoch,
      JSON.stringify(request),
    ]);
    return epoch === 0 ? undefined : { epoch, partIds };
  }

  /** The parts of a divided run. A part that was forgotten already, or cannot be read, is left out. */
  async parts(redis: RedisClient, run: RunRecord): Promise<RunRecord[]> {
    const loaded = await Promise.all(
      Array.from({ length: run.partsCount ?? 0 }, (_, index) =>
        this.look(redis, run.namespace, partId(run.runId, index)),
      ),
    );
    return loaded.filter((part): part is RunRecord => part !== undefined && !(part instanceof BrokenRecordError));
  }

  /** Puts the run off. @returns undefined when the epoch is not the newest or the run has ended. */
  async park(
    redis: RedisClient,
    run: RunRecord,
    epoch: number,
    park: {
      state: 'waiting' | 'retrying';
      delayMs: number;
      error?: RunError;
      failedAgentId?: string;
      repeatsAttempt?: boolean;
      redispatched?: boolean;
      noAgent?: boolean;
      considered?: readonly Considered[];
    },
  ): Promise<ParkedRun | undefined> {
    const [dueAt, waitedMs] = await this.run(redis, this.parkScript, [
      run.namespace,
      run.runId,
      epoch,
      park.state,
      park.delayMs,
      park.error === undefined ? '' : JSON.stringify(park.error),
      park.failedAgentId ?? '',
      park.repeatsAttempt === true ? '1' : '0',
      park.redispatched === true ? '1' : '0',
      park.noAgent === true ? '1' : '0',
      consideredText(park.considered),
    ]);
    return dueAt === undefined || waitedMs === undefined ? undefined : { dueAt, waitedMs };
  }

  /**
   * Ends the run as this dispatch found it.
   * @param place of the dispatch, to be given back in the same step
   * @returns whether it did (not when the epoch is not the newest or the run has ended), whether another run came due by it, and what
   * giving the place back led to
   */
  async finish(
    run: RunRecord,
    epoch: number,
    end: { state: 'succeeded' | 'failed' | 'timed-out'; error?: RunError; result?: string },
    place?: ReleasedPlace,
  ): Promise<{ applied: boolean; released: boolean; place: readonly string[] }> {
    const { ended, place: given = [] } = await this.end(run, String(epoch), end, place);
    const [code, , , released] = ended;
    return { applied: code === 1, released: released === 1, place: given };
  }

  /**
   * Ends the run whatever it is doing; the answer of a dispatch under way will be dropped.
   * @returns the state it has now, and where it was running; undefined when there is no such run.
   */
  async cancel(
    run: Pick<RunRecord, 'namespace' | 'runId'>,
    error: RunError,
  ): Promise<
    { cancelled: boolean; state: RunState; agentId?: string; epoch?: number; released?: boolean } | undefined
  > {
    const { ended } = await this.end(run, undefined, { state: 'cancelled', error });
    const [code, text, epoch, released] = ended;
    if (code === -1) return undefined;
    if (code === 0) return { cancelled: false, state: text as RunState };
    return {
      cancelled: true,
      state: 'cancelled',
      agentId: text === '' ? undefined : text,
      epoch,
      released: released === 1,
    };
  }

  /** Ends a run whose record cannot be read: nobody can execute it. @returns whether another run came due by it */
  async fail(broken: BrokenRecordError, namespace: string): Promise<boolean> {
    const error: RunError = { code: broken.code, message: broken.message };
    const { ended } = await this.end({ namespace, runId: broken.id }, undefined, { state: 'failed', error });
    return ended[3] === 1;
  }

  /**
   * A run came due.
   * @param isTaken from whoever was handed it and has not begun it: that hand-over is a leftover from now on
   * @returns under which number the engine must have it; undefined when it has ended, still has to wait, or was to be taken and is running
   */
  async requeue(
    redis: RedisClient,
    namespace: string,
    runId: string,
    isTaken = false,
  ): Promise<RequeuedRun | undefined> {
    const reply = await this.run(redis, this.requeueScript, [
      namespace,
      runId,
      OUTBOX_MS,
      WAIT_LOOK_MS,
      isTaken ? '1' : '0',
    ]);
    if (reply.length === 0) return undefined;
    const [enqueues, putOff, priority, running, epoch] = reply;
    return { enqueues, wasPutOff: putOff === 1, wasRunning: running === 1, epoch, ...(priority ? { priority } : {}) };
  }

  private end(
    { namespace, runId }: Pick<RunRecord, 'namespace' | 'runId'>,
    epoch: string | undefined,
    { state, error, result = '' }: { state: string; error?: RunError; result?: string },
    place?: ReleasedPlace,
  ): Promise<FinishReply> {
    const errorText = error === undefined ? '' : JSON.stringify(error);
    const item = { step: 'end', ns: namespace, runId, epoch, state, error: errorText, result, place } as const;
    return this.steps.run(item) as Promise<FinishReply>;
  }

  private run<Reply>(redis: RedisClient, script: RedisScript<Reply>, args: (string | number)[]): Promise<Reply> {
    return script.run(redis, [this.keys.key('due')], [this.keys.key(), ...args]);
  }
}

/** The place that a script took along with making a run, if it did. */
export function givenPlace(reply: readonly string[] | undefined): GivenPlace | undefined {
  const place = reply === undefined ? undefined : takenPlace(reply);
  return place?.taken === true ? place : undefined;
}

/** A run's id and, behind a dot, the number of the part. */
function partId(runId: string, index: number): string {
  return `${runId}.${index}`;
}

/** Who was considered, as a run's record keeps it. */
export function consideredText(considered: readonly Considered[] = []): string {
  return considered.length === 0 ? '' : JSON.stringify(considered.slice(0, MAX_CONSIDERED));
}
