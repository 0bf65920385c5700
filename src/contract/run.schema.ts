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
 * `delayed`: waits for its time. `waiting`: queued, or no agent can take it yet. `running`: an agent executes it.
 * `retrying`: an attempt failed, the next one has its time. The other four are final.
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

/** Why an attempt failed. `message` of a handler's error is its own text, cut to 1,000 characters. */
export const runErrorSchema = z
  .strictObject({
    code: errorCodeSchema,
    message: z.string(),
    agentId: idSchema.optional(),
  })
  .meta({ id: 'RunError' });
export type RunError = z.infer<typeof runErrorSchema>;

/** One execution of a job: of a schedule's tick, a trigger or a submit. */
export const runSchema = z
  .strictObject({
    runId: idSchema,
    namespace: idSchema,
    scheduleId: idSchema.optional(),
    /** When the tick was due; absent for submitted and triggered runs. */
    tickAt: replyInstantSchema.optional(),
    job: jobSchema,
    state: z.enum(runStates),
    /** The attempt under way or last made; 0 before the first. */
    attempt: z.int().min(0),
    maxAttempts: z.int().min(1),
    /** Grows with each dispatch; an answer of an older epoch is dropped. */
    epoch: z.int().min(0),
    agentId: idSchema.optional(),
    createdAt: replyInstantSchema,
    /** When a delayed or retrying run goes on. */
    dueAt: replyInstantSchema.optional(),
    startedAt: replyInstantSchema.optional(),
    finishedAt: replyInstantSchema.optional(),
    error: runErrorSchema.optional(),
    result: jsonSchema.optional(),
    resultKey: idSchema.optional(),
  })
  .meta({ id: 'Run' });
export type Run = z.infer<typeof runSchema>;

/** Requests and replies of `job.*` and `run.*`. */
export const runCommands = {
  'job.submit': {
    request: requestSchema({
      job: jobSchema,
      route: routeSchema,
      timeoutMs: durationMsSchema.default(30_000),
      retry: retrySchema,
      /** Start this much later. */
      delayMs: z
        .int()
        .min(0)
        .max(366 * 86_400_000)
        .optional(),
      /** Start at this instant; not together with `delayMs`. */
      at: instantSchema.optional(),
      /** 1 first … 10 last; without it a job runs before every prioritised one. */
      priority: z.int().min(1).max(10).optional(),
      /** A second submit with this key within IDEMPOTENCY_WINDOW_MS answers with the first one's run. */
      idempotencyKey: idempotencyKeySchema.optional(),
      /** Answer when the run has ended, with its result. */
      wait: z.boolean().default(false),
      resultKey: idSchema.optional(),
    }).refine((request) => request.delayMs === undefined || request.at === undefined, {
      message: 'give at most one of delayMs and at',
    }),
    reply: z.strictObject({ runId: idSchema, deduplicated: z.boolean(), result: jsonSchema.optional() }),
  },
  'run.get': { request: requestSchema({ runId: idSchema }), reply: runSchema },
  'run.list': {
    request: requestSchema({
      scheduleId: idSchema.optional(),
      state: z.enum(runStates).optional(),
      agentId: idSchema.optional(),
      /** Only runs created at or after this instant. */
      since: instantSchema.optional(),
      /** Only runs that failed or timed out and were not retried since. */
      deadLettersOnly: z.boolean().default(false),
      ...pageShape,
    }),
    /** Newest first. A page also ends early when its payloads and results are long. */
    reply: pageSchema(runSchema).extend({
      /** Runs whose records in Redis cannot be read, among those of the page; each counts towards `limit`, whatever the filter. */
      broken: z.array(z.strictObject({ runId: idSchema, why: z.string() })).optional(),
    }),
  },
  'run.cancel': {
    request: requestSchema({ runId: idSchema, reason: z.string().max(512).optional() }),
    reply: z.strictObject({ state: z.enum(runStates) }),
  },
  'run.retry': {
    request: requestSchema({ runId: idSchema, onOtherAgent: z.boolean().default(false) }),
    reply: z.strictObject({ runId: idSchema }),
  },
} as const;
