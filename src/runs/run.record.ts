import type { Job, Retry, Route } from '../contract/job.schema.js';
import { type Run, type RunError, type RunState, runStates } from '../contract/run.schema.js';
import { BrokenRecordError } from '../redis/broken-record.error.js';

/** What never changes about a run; one JSON field of its hash. */
export interface RunSpec {
  job: Job;
  route: Route;
  retry: Retry;
  timeoutMs: number;
  /** 1 first … 10 last; absent: before all of them. */
  priority?: number;
  resultKey?: string;
  /** Set on a part of a divided run (route `shard`). */
  shard?: { index: number; total: number };
  /** Travels to the agent with every attempt; absent: the run's id does. */
  idempotencyKey?: string;
}

/** A run as it stands in its Redis hash. */
export interface RunRecord {
  namespace: string;
  runId: string;
  scheduleId?: string;
  tickAt?: number;
  spec: RunSpec;
  state: RunState;
  attempt: number;
  epoch: number;
  /** How often the run was handed to the engine; an engine job of an older number is a leftover. */
  enqueues: number;
  agentId?: string;
  createdAt: number;
  dueAt?: number;
  startedAt?: number;
  finishedAt?: number;
  error?: RunError;
  /** JSON text. */
  result?: string;
  /** Since when no agent could take it. */
  waitingSince?: number;
  /** Agents that failed this run; the newest last. */
  failedAgentIds: string[];
  /** Set when the next dispatch repeats the attempt under way instead of beginning a new one. */
  repeatsAttempt: boolean;
  /** How often the attempt under way was repeated because its agent was lost. */
  redispatches: number;
  /** Set on a run that was divided: how many parts, and how many of them have not ended. */
  partsCount?: number;
  openPartsCount?: number;
  /** The run that this one is a part of. */
  parentId?: string;
  /** Who was considered for the last dispatch and why not chosen, newest look. */
  considered?: { agentId: string; reason: string }[];
  /** Length of its payload and result as JSON in UTF-8. */
  bytes: number;
}

/** A run as it stands when it was just made. */
export function newRun(
  run: Pick<RunRecord, 'namespace' | 'runId' | 'scheduleId' | 'tickAt' | 'spec' | 'parentId' | 'failedAgentIds'>,
  now: number,
  specText: string,
): RunRecord {
  // Field by field, like the next one: spreading a record costs more than the rest of what makes a run.
  return {
    namespace: run.namespace,
    runId: run.runId,
    scheduleId: run.scheduleId,
    tickAt: run.tickAt,
    spec: run.spec,
    state: 'waiting',
    attempt: 0,
    epoch: 0,
    enqueues: 1,
    agentId: undefined,
    createdAt: now,
    dueAt: undefined,
    startedAt: undefined,
    finishedAt: undefined,
    error: undefined,
    result: undefined,
    waitingSince: undefined,
    failedAgentIds: run.failedAgentIds,
    repeatsAttempt: false,
    redispatches: 0,
    partsCount: undefined,
    openPartsCount: undefined,
    parentId: run.parentId,
    considered: undefined,
    bytes: Buffer.byteLength(specText),
  };
}

/** A run as it stands with a dispatch of it. */
export function dispatchedRun(
  run: RunRecord,
  dispatch: Pick<RunRecord, 'state' | 'attempt' | 'epoch'> & { agentId: string },
): RunRecord {
  return {
    namespace: run.namespace,
    runId: run.runId,
    scheduleId: run.scheduleId,
    tickAt: run.tickAt,
    spec: run.spec,
    state: dispatch.state,
    attempt: dispatch.attempt,
    epoch: dispatch.epoch,
    enqueues: run.enqueues,
    agentId: dispatch.agentId,
    createdAt: run.createdAt,
    dueAt: run.dueAt,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    error: run.error,
    result: run.result,
    waitingSince: run.waitingSince,
    failedAgentIds: run.failedAgentIds,
    repeatsAttempt: run.repeatsAttempt,
    redispatches: run.redispatches,
    partsCount: run.partsCount,
    openPartsCount: run.openPartsCount,
    parentId: run.parentId,
    considered: run.considered,
    bytes: run.bytes,
  };
}

/** Reads a run from the fields of its hash; undefined where the hash does not exist. */
export function parseRun(runId: string, fields: Record<string, string>): RunRecord | BrokenRecordError | undefined {
  if (Object.keys(fields).length === 0) return undefined;
  try {
    return recordOf(runId, fields);
  } catch (error) {
    return new BrokenRecordError('run', runId, (error as Error).message, fields);
  }
}

/** @throws Error saying what is wrong */
function recordOf(runId: string, fields: Record<string, string>): RunRecord {
  if (fields.runId !== runId || fields.namespace === undefined) throw new Error('runId or namespace is wrong');
  if (!runStates.includes(fields.state as RunState)) throw new Error('its state is none');
  return {
    namespace: fields.namespace,
    runId: fields.runId,
    scheduleId: fields.scheduleId,
    tickAt: optionalNumber(fields.tickAt),
    spec: specOf(fields.spec),
    state: fields.state as RunState,
    attempt: wholeNumber(fields.attempt),
    epoch: wholeNumber(fields.epoch),
    enqueues: wholeNumber(fields.enqueues),
    agentId: fields.agentId,
    createdAt: wholeNumber(fields.createdAt),
    dueAt: optionalNumber(fields.dueAt),
    startedAt: optionalNumber(fields.startedAt),
    finishedAt: optionalNumber(fields.finishedAt),
    error: fields.error === undefined ? undefined : jsonOf<RunError>('error', fields.error),
    result: fields.result,
    waitingSince: optionalNumber(fields.waitingSince),
    failedAgentIds: fields.failedAgentIds === undefined ? [] : fields.failedAgentIds.split(','),
    repeatsAttempt: fields.repeatsAttempt === '1',
    redispatches: optionalNumber(fields.redispatches) ?? 0,
    partsCount: optionalNumber(fields.parts),
    openPartsCount: optionalNumber(fields.openParts),
    parentId: fields.parentId,
    considered:
      fields.considered === undefined ? undefined : jsonOf<RunRecord['considered']>('considered', fields.considered),
    bytes: Buffer.byteLength(fields.spec) + Buffer.byteLength(fields.result ?? ''),
  };
}

/**
 * What a run that succeeded came to; undefined where it has none.
 * @throws BrokenRecordError
 */
export function resultOf({ runId, result }: RunRecord): Run['result'] {
  if (result === undefined) return undefined;
  try {
    return jsonOf<Run['result']>('result', result);
  } catch (error) {
    throw new BrokenRecordError('run', runId, (error as Error).message);
  }
}

/** A run as callers see it. @throws BrokenRecordError when its result cannot be read */
export function runView(run: RunRecord): Run {
  return {
    runId: run.runId,
    namespace: run.namespace,
    scheduleId: run.scheduleId,
    tickAt: run.tickAt,
    job: run.spec.job,
    state: run.state,
    attempt: run.attempt,
    maxAttempts: run.spec.retry.maxAttempts,
    epoch: run.epoch,
    agentId: run.agentId,
    createdAt: run.createdAt,
    dueAt: run.dueAt,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    error: run.error,
    result: resultOf(run),
    resultKey: run.spec.resultKey,
  };
}

function optionalNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : wholeNumber(text);
}

function wholeNumber(text: string | undefined): number {
  const number = text === undefined || text === '' ? NaN : Number(text);
  if (!Number.isInteger(number)) throw new Error('one of its numbers is missing or wrong');
  return number;
}

function specOf(text: string | undefined): RunSpec {
  if (text === undefined) throw new Error('it has no spec');
  const spec = jsonOf<Partial<RunSpec> | null>('spec', text);
  const isGood =
    typeof spec?.job?.name === 'string' &&
    typeof spec.route === 'object' &&
    typeof spec.retry?.maxAttempts === 'number' &&
    typeof spec.timeoutMs === 'number';
  if (!isGood) throw new Error('its spec is none');
  return spec as RunSpec;
}

function jsonOf<Value>(name: string, text: string): Value {
  try {
    return JSON.parse(text) as Value;
  } catch {
    throw new Error(`its ${name} is no JSON`);
  }
}
