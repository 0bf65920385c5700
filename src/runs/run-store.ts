import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import { CommandError } from '../contract/command-error.js';
import type { RunError, RunState } from '../contract/run.schema.js';
import type { RedisClient } from '../redis/redis-client.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { RedisScript } from '../redis/redis-script.js';
import { submitRunLua } from './create-run.lua.js';
import { finishRunLua } from './finish-run.lua.js';
import { parkRunLua } from './park-run.lua.js';
import { requeueRunLua } from './requeue-run.lua.js';
import { parseRun, type RunRecord, type RunSpec } from './run.record.js';
import { startAttemptLua } from './start-attempt.lua.js';

/** A run that nobody has begun after this long is handed to the engine again: its first hand-over may have been lost. */
export const OUTBOX_MS = 5_000;

/** How long past its own deadline an attempt may be silent before the run is looked after again. */
const ATTEMPT_GRACE_MS = 10_000;

export interface NewRun {
  namespace: string;
  scheduleId?: string;
  spec: RunSpec;
  delayMs?: number;
  /** ms since the epoch; in the past: at once. */
  at?: number;
  /** Whose keys `idempotencyKey` is unique among. */
  idempotencyScope: string;
  idempotencyKey?: string;
}

export interface SubmittedRun {
  runId: string;
  deduplicated: boolean;
  /** Set when the run waits for its time. */
  dueAt?: number;
}

export interface ParkedRun {
  dueAt: number;
  /** How long no agent could take the run. */
  waitedMs: number;
}

/** Runs in Redis: every change is one script, fenced by the run's epoch. */
@Injectable()
export class RunStore {
  private readonly submitScript = new RedisScript<[string, number, number, number]>('submit-run', submitRunLua);
  private readonly startScript = new RedisScript<number>('start-attempt', startAttemptLua);
  private readonly parkScript = new RedisScript<number[]>('park-run', parkRunLua);
  private readonly finishScript = new RedisScript<[number, string?, number?]>('finish-run', finishRunLua);
  private readonly requeueScript = new RedisScript<[number, number, number] | []>('requeue-run', requeueRunLua);

  constructor(
    private readonly keys: RedisKeys,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** @throws CommandError RATE_LIMITED when MAX_OPEN_RUNS have not ended yet */
  async submit(redis: RedisClient, run: NewRun): Promise<SubmittedRun> {
    const runId = randomUUID();
    const spec: RunSpec = { ...run.spec, idempotencyKey: run.idempotencyKey };
    try {
      const [storedId, created, , dueAt] = await this.run(redis, this.submitScript, [
        run.namespace,
        runId,
        run.scheduleId ?? '',
        JSON.stringify(spec),
        OUTBOX_MS,
        run.delayMs ?? 0,
        run.at ?? 0,
        run.idempotencyScope,
        run.idempotencyKey ?? '',
        this.settings.idempotencyWindowMs,
        this.settings.maxOpenRuns,
      ]);
      return { runId: storedId, deduplicated: created === 0, ...(dueAt > 0 ? { dueAt } : {}) };
    } catch (error) {
      if (error instanceof Error && error.message.includes('RUNS_FULL')) {
        throw new CommandError('RATE_LIMITED', `more than ${this.settings.maxOpenRuns} runs have not ended yet`);
      }
      throw error;
    }
  }

  /** The run, or undefined when it is not known (any more). */
  async load(redis: RedisClient, namespace: string, runId: string): Promise<RunRecord | undefined> {
    return parseRun(await redis.hgetall(this.keys.key('run', namespace, runId)));
  }

  /** Begins a dispatch. @returns the new epoch, or undefined when somebody else was faster or the run has ended. */
  async start(redis: RedisClient, run: RunRecord, attempt: number, agentId: string): Promise<number | undefined> {
    const epoch = await this.run(redis, this.startScript, [
      run.namespace,
      run.runId,
      run.epoch,
      attempt,
      agentId,
      run.spec.timeoutMs + ATTEMPT_GRACE_MS,
    ]);
    return epoch === 0 ? undefined : epoch;
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
    ]);
    return dueAt === undefined || waitedMs === undefined ? undefined : { dueAt, waitedMs };
  }

  /** Ends the run as this dispatch found it. @returns false when the epoch is not the newest or the run has ended. */
  async finish(
    redis: RedisClient,
    run: RunRecord,
    epoch: number,
    end: { state: 'succeeded' | 'failed' | 'timed-out'; error?: RunError; result?: string },
  ): Promise<boolean> {
    const [finished] = await this.run(redis, this.finishScript, this.finishArguments(run, String(epoch), end));
    return finished === 1;
  }

  /**
   * Ends the run whatever it is doing; the answer of a dispatch under way will be dropped.
   * @returns the state it has now, and where it was running; undefined when there is no such run.
   */
  async cancel(
    redis: RedisClient,
    run: RunRecord,
    error: RunError,
  ): Promise<{ cancelled: boolean; state: RunState; agentId?: string; epoch?: number } | undefined> {
    const [code, text, epoch] = await this.run(
      redis,
      this.finishScript,
      this.finishArguments(run, '', { state: 'cancelled', error }),
    );
    if (code === -1) return undefined;
    if (code === 0) return { cancelled: false, state: text as RunState };
    return {
      cancelled: true,
      state: 'cancelled',
      ...(text ? { agentId: text } : {}),
      ...(epoch === undefined ? {} : { epoch }),
    };
  }

  /** A run came due. @returns under which number the engine must have it; undefined when it has ended. */
  async requeue(
    redis: RedisClient,
    namespace: string,
    runId: string,
  ): Promise<{ enqueues: number; wasPutOff: boolean; priority?: number } | undefined> {
    const [enqueues, putOff, priority] = await this.run(redis, this.requeueScript, [namespace, runId, OUTBOX_MS]);
    if (enqueues === undefined) return undefined;
    return { enqueues, wasPutOff: putOff === 1, ...(priority ? { priority } : {}) };
  }

  private finishArguments(
    run: RunRecord,
    epoch: string,
    end: { state: string; error?: RunError; result?: string },
  ): (string | number)[] {
    return [
      run.namespace,
      run.runId,
      epoch,
      end.state,
      end.error === undefined ? '' : JSON.stringify(end.error),
      end.result ?? '',
      run.spec.resultKey ?? '',
      this.settings.runRetentionMs,
      this.settings.runsKeptPerSchedule,
      this.settings.runsKeptPerNamespace,
      this.settings.resultRetentionMs,
    ];
  }

  private run<Reply>(redis: RedisClient, script: RedisScript<Reply>, args: (string | number)[]): Promise<Reply> {
    return script.run(redis, [this.keys.key('due')], [this.keys.key(), ...args]);
  }
}
