import { z } from 'zod';
import {
  durationMsSchema,
  idempotencyKeySchema,
  idSchema,
  instantSchema,
  jsonSchema,
  pageSchema,
  pageShape,
  replyInstantSchema,
  requestSchema,
} from './common.schema.js';
import { errorCodes, type ErrorCode } from './command-error.js';
import { jobSchema, retrySchema, routeSchema } from './job.schema.js';

/**
 * `delayed`: waits for its time. `waiting`: queued, no agent can take it yet, or an earlier run of its schedule is under way. `running`: an agent
 * executes it, or its parts are under way. `retrying`: an attempt failed, the next one has its time. The other four are final.
 */
export const runStates = [
  'delayed',
  'waiting',
  'running',
  'retrying',
  'succeeded',
  'failed',
  'cancelled',
  'timed-out',
] as const;
export type RunState = (typeof runStates)[number];

/** States that never change again. */
export const finalRunStates = ['succeeded', 'failed', 'cancelled', 'timed-out'] as const satisfies readonly RunState[];

/** Whether a run in this state has ended. */
export function isFinalRunState(state: RunState): boolean {
  return (finalRunStates as readonly RunState[]).includes(state);
}

const errorCodeSchema = z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]);

/** Why an attempt failed, why a run was cancelled, or why it has to wait for an agent. */
export const runErrorSchema = z
  .strictObject({
    /** INTERNAL for what the handler threw, DEADLINE_EXCEEDED for a timeout, CANCELLED, NO_AGENT; or what the agent or its handler gave. */
    code: errorCodeSchema,
    /** One sentence for people. Of a handler's error its own text, cut to 1,000 characters. */
    message: z.string(),
    /** Where it happened; absent where no agent was involved. */
    agentId: idSchema.optional(),
  })
  .meta({ id: 'RunError' });
export type RunError = z.infer<typeof runErrorSchema>;

/** One execution of a job: of a schedule's tick, a trigger or a submit. */
export const runSchema = z
  .strictObject({
    /** For a tick the schedule, an at sign and the tick in ms; for a part of a divided run that one's, a dot and a number; else random. */
    runId: idSchema,
    /** In which it was made. */
    namespace: idSchema,
    /** Whose run it is; absent for submitted jobs. */
    scheduleId: idSchema.optional(),
    /** When the tick was due, without jitter; absent for runs that were submitted, triggered or made by `run.retry`. */
    tickAt: replyInstantSchema.optional(),
    /** What an agent is asked to do, with the payload of this run. */
    job: jobSchema,
    /** `delayed`: not due yet. `waiting`: for a place, an agent or an earlier run. `retrying`: for its next attempt. The last four are final. */
    state: z.enum(runStates),
    /** The attempt under way or last made; 0 before the first. */
    attempt: z.int().min(0),
    /** How many it may make (`retry` of its schedule or submit). */
    maxAttempts: z.int().min(1),
    /** Grows with each dispatch; an answer of an older epoch is dropped. */
    epoch: z.int().min(0),
    /** Where its newest attempt was begun; absent before the first, and for a run that was divided into parts. */
    agentId: idSchema.optional(),
    /** When it was written down: as its tick was fired, or the caller asked for it. */
    createdAt: replyInstantSchema,
    /** When a run that was put off goes on: delayed, retrying, or waiting for an agent. */
    dueAt: replyInstantSchema.optional(),
    /** When its first attempt began. */
    startedAt: replyInstantSchema.optional(),
    /** When it ended, however. */
    finishedAt: replyInstantSchema.optional(),
    /** What went wrong last; absent while nothing has, and once the run has succeeded. */
    error: runErrorSchema.optional(),
    /** What the handler answered, once the run has succeeded; of a divided run what became of each part. */
    result: jsonSchema.optional(),
    /** Where the value of a good end is kept (`result.get`), if anywhere. */
    resultKey: idSchema.optional(),
  })
  .meta({ id: 'Run' });
export type Run = z.infer<typeof runSchema>;

/** Requests and replies of `job.*` and `run.*`. */
export const runCommands = {
  /**
   * Makes a run of a job that no schedule has. Errors: RATE_LIMITED (MAX_OPEN_RUNS); with `wait` also DEADLINE_EXCEEDED, which does not end
   * the run, and the error of a run that did not succeed.
   */
  'job.submit': {
    request: requestSchema({
      /** What the run asks an agent to do. */
      job: jobSchema,
      /** Which agents may execute it. Default: any that has a handler for the job, in turn. */
      route: routeSchema,
      /** How long one attempt may take. */
      timeoutMs: durationMsSchema.default(30_000),
      /** What happens after a failed attempt. */
      retry: retrySchema,
      /** Start this much later. */
      delayMs: z
        .int()
        .min(0)
        .max(366 * 86_400_000)
        .optional(),
      /** Start at this instant, at once when it has passed; not together with `delayMs`. */
      at: instantSchema.optional(),
      /** 1 first … 10 last; without it a job runs before every prioritised one. */
      priority: z.int().min(1).max(10).optional(),
      /** A second submit with this key within IDEMPOTENCY_WINDOW_MS answers with the first one's run. */
      idempotencyKey: idempotencyKeySchema.optional(),
      /** Answer when the run has ended, with its result. */
      wait: z.boolean().default(false),
      /** Where the value of a good run is kept (`result.get`). Without it the result stays with the run only. */
      resultKey: idSchema.optional(),
    }).refine((request) => request.delayMs === undefined || request.at === undefined, {
      message: 'give at most one of delayMs and at',
    }),
    reply: z.strictObject({
      /** The run that was made, or the first one's with the same key. */
      runId: idSchema,
      /** true: `idempotencyKey` was known, and nothing was made. */
      deduplicated: z.boolean(),
      /** What the handler answered, null for nothing; absent without `wait`. */
      result: jsonSchema.optional(),
    }),
  },
  /** One run, as long as it is kept. Errors: NOT_FOUND, BROKEN_RECORD. */
  'run.get': {
    request: requestSchema({
      /** The run, as the command that made it or `run.list` names it. */
      runId: idSchema,
    }),
    reply: runSchema,
  },
  /**
   * Runs, the newest first; dead letters by when they ended. A page also ends early when its payloads and results are long, or few of the runs
   * match. Errors: INVALID_ARGUMENT (a `cursor` that no page gave).
   */
  'run.list': {
    request: requestSchema({
      /** Only runs of this schedule: of its ticks, triggered ones, and their parts. */
      scheduleId: idSchema.optional(),
      /** Only runs in this state. */
      state: z.enum(runStates).optional(),
      /** Only runs whose newest attempt was begun at this agent. */
      agentId: idSchema.optional(),
      /** Only runs created at or after this instant. */
      since: instantSchema.optional(),
      /** Only runs that failed or timed out and were not retried since. */
      deadLettersOnly: z.boolean().default(false),
      ...pageShape,
    }),
    reply: pageSchema(runSchema).extend({
      /** Runs whose records in Redis cannot be read, among those of the page; each counts towards `limit`, whatever the filter. */
      broken: z
        .array(
          z.strictObject({
            /** The run; `run.cancel` ends it. */
            runId: idSchema,
            /** What is wrong with the record. */
            why: z.string(),
          }),
        )
        .optional(),
    }),
  },
  /** Ends a run, and its parts, whichever replica has it; one that has ended stays as it is. Errors: NOT_FOUND, BROKEN_RECORD. */
  'run.cancel': {
    request: requestSchema({
      /** The run to end; its agent is told to abort it. */
      runId: idSchema,
      /** For the run's `error` and the agent. */
      reason: z.string().max(512).optional(),
    }),
    reply: z.strictObject({
      /** `cancelled`, or the state in which it had ended before. */
      state: z.enum(runStates),
    }),
  },
  /**
   * Repeats a run that has ended as a new one, once however often it is asked while that is remembered; it is no dead letter then. Errors:
   * NOT_FOUND, BROKEN_RECORD, INVALID_ARGUMENT (it has not ended), RATE_LIMITED (MAX_OPEN_RUNS).
   */
  'run.retry': {
    request: requestSchema({
      /** The run to repeat, whether it failed or not. */
      runId: idSchema,
      /** true: the agent that had it last is asked last. */
      onOtherAgent: z.boolean().default(false),
    }),
    reply: z.strictObject({
      /** The new run. */
      runId: idSchema,
    }),
  },
} as const;
