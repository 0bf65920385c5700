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
import { jobSchema, retrySchema, routeSchema } from './job.schema.js';
import { runStates } from './run.schema.js';

/** What to do with ticks that came due while nobody could fire them. */
export const misfirePolicies = ['skip', 'once', 'all'] as const;
/** What to do when a tick comes due while an earlier run of the schedule is not finished. */
export const overlapPolicies = ['allow', 'skip', 'buffer-one', 'cancel-previous'] as const;

const timingShape = {
  /** 5 or 6 fields (seconds first), evaluated in `timezone`. */
  cron: z.string().min(1).max(256).optional(),
  /** Fixed interval, counted from `startAt` or, without it, from the epoch: every replica computes the same instants. */
  everyMs: durationMsSchema.min(100).optional(),
  /** Once, at this instant. */
  at: instantSchema.optional(),
  /** IANA zone of `cron`. */
  timezone: z.string().min(1).max(64).default('UTC'),
  /** No tick before this instant. */
  startAt: instantSchema.optional(),
  /** No tick after this instant. */
  endAt: instantSchema.optional(),
  /** No tick after this many. */
  maxRuns: z.int().min(1).max(1_000_000_000).optional(),
  /** Each tick is delayed by a fixed pseudo-random share of this, derived from schedule and due time. */
  jitterMs: z.int().min(0).max(86_400_000).default(0),
} as const;

function oneTiming(timing: { cron?: string; everyMs?: number; at?: number }): boolean {
  return [timing.cron, timing.everyMs, timing.at].filter((value) => value !== undefined).length === 1;
}
const oneTimingMessage = { message: 'give exactly one of cron, everyMs and at' };

const scheduleShape = {
  /** At most 100 characters: the ids of its runs are made of it. */
  id: idSchema.max(100),
  ...timingShape,
  job: jobSchema,
  route: routeSchema,
  misfire: z.enum(misfirePolicies).default('once'),
  /** Ticks older than this are never caught up. */
  catchupWindowMs: durationMsSchema.default(3_600_000),
  overlap: z.enum(overlapPolicies).default('allow'),
  /** How long one attempt may take. */
  timeoutMs: durationMsSchema.default(30_000),
  retry: retrySchema,
  /** Where the value of a good run is kept (`result.get`). Without it results stay with their run only. */
  resultKey: idSchema.optional(),
  enabled: z.boolean().default(true),
  pausedReason: z.string().max(512).optional(),
  tags: z.array(idSchema).max(32).default([]),
} as const;

/** A schedule as its owner declares it. */
export const scheduleSpecSchema = z.strictObject(scheduleShape).refine(oneTiming, oneTimingMessage);
export type ScheduleSpec = z.infer<typeof scheduleSpecSchema>;
/** What a caller may leave out has a default. */
export type ScheduleSpecInput = z.input<typeof scheduleSpecSchema>;

/** A schedule as it is stored and returned. `version` grows by one with each change of the declaration. */
export const scheduleSchema = z
  .strictObject({
    ...scheduleShape,
    version: z.int().min(1),
    createdAt: replyInstantSchema,
    updatedAt: replyInstantSchema,
  })
  .meta({ id: 'Schedule' });
export type Schedule = z.infer<typeof scheduleSchema>;

/** `active`: has a next tick. `paused`: disabled. `ended`: no tick will ever come again. */
export const scheduleStates = ['active', 'paused', 'ended'] as const;

/** A schedule with where it stands. */
export const scheduleViewSchema = scheduleSchema
  .extend({
    state: z.enum(scheduleStates),
    /** Since when `schedule.pause` holds; `pausedReason` is then its reason. */
    pausedAt: replyInstantSchema.optional(),
    nextRunAt: replyInstantSchema.optional(),
    lastRun: z
      .strictObject({ runId: idSchema, tickAt: replyInstantSchema.optional(), state: z.enum(runStates) })
      .optional(),
    /** How late the last tick was claimed, in ms after it was due. */
    latenessMs: z.int().optional(),
    /** How its due times ended so far; the last four sum to the first. Older than the record's last removal is not counted. */
    ticks: z.strictObject({
      demandedCount: z.int(),
      /** Became a run within LATE_AFTER_MS. */
      firedCount: z.int(),
      /** Became a run later than that. */
      lateCount: z.int(),
      /** Somebody wanted no run: overlap policy, pause. */
      skippedCount: z.int(),
      /** Nobody could make one in time, and the misfire policy does not catch up. */
      missedCount: z.int(),
    }),
    /** Whose set it belongs to (`schedule.sync`). */
    owner: idSchema.optional(),
  })
  .meta({ id: 'ScheduleView' });
export type ScheduleView = z.infer<typeof scheduleViewSchema>;

/** Records in Redis that cannot be read, among those of the page; each counts towards its limit, whatever the filter. */
const brokenSchema = z.array(z.strictObject({ id: idSchema, why: z.string() }));

const upsertRequest = requestSchema({
  ...scheduleShape,
  /** Refuse with VERSION_CONFLICT unless the stored version is this; 0 means: must not exist. */
  expectedVersion: z.int().min(0).optional(),
}).refine(oneTiming, oneTimingMessage);

const previewShape = { ...timingShape, id: idSchema.optional() };

/** Requests and replies of `schedule.*`. */
export const scheduleCommands = {
  'schedule.upsert': {
    request: upsertRequest,
    reply: z.strictObject({
      schedule: scheduleSchema,
      created: z.boolean(),
      /** false: the declaration was already stored, nothing was touched. */
      changed: z.boolean(),
      /** The next three ticks. */
      nextRuns: z.array(replyInstantSchema).max(3),
    }),
  },
  'schedule.get': { request: requestSchema({ id: idSchema }), reply: scheduleViewSchema },
  'schedule.list': {
    request: requestSchema({ tag: idSchema.optional(), enabled: z.boolean().optional(), ...pageShape }),
    reply: pageSchema(scheduleViewSchema).extend({ broken: brokenSchema.optional() }),
  },
  'schedule.remove': {
    request: requestSchema({ id: idSchema, cancelRunning: z.boolean().default(false) }),
    reply: z.strictObject({ removed: z.boolean() }),
  },
  'schedule.pause': {
    request: requestSchema({ id: idSchema, reason: z.string().max(512).optional() }),
    reply: scheduleViewSchema,
  },
  'schedule.resume': {
    request: requestSchema({
      id: idSchema,
      /** true: what fell into the pause is dealt with by the misfire policy and the catch-up window. false: it is skipped. */
      catchUp: z.boolean().default(false),
    }),
    reply: scheduleViewSchema,
  },
  'schedule.trigger': {
    request: requestSchema({
      id: idSchema,
      /** Replaces the payload of the schedule's job for this run. */
      payload: jsonSchema.optional(),
      /** Only this agent. */
      agentId: idSchema.optional(),
      /** A second trigger with this key within IDEMPOTENCY_WINDOW_MS answers with the first one's run. */
      idempotencyKey: idempotencyKeySchema.optional(),
      /** Answer when the run has ended, with its result. */
      wait: z.boolean().default(false),
    }),
    reply: z.strictObject({ runId: idSchema, deduplicated: z.boolean(), result: jsonSchema.optional() }),
  },
  'schedule.preview': {
    request: requestSchema({
      ...previewShape,
      count: z.int().min(1).max(1000).default(10),
      from: instantSchema.optional(),
    }).refine(oneTiming, oneTimingMessage),
    reply: z.strictObject({
      runs: z.array(replyInstantSchema),
      warnings: z.array(
        z.strictObject({
          code: z.enum(['DST_GAP', 'DST_REPEAT', 'NEVER_FIRES', 'CROWDED_SECOND']),
          at: replyInstantSchema.optional(),
          message: z.string(),
        }),
      ),
    }),
  },
  'schedule.sync': {
    request: requestSchema({
      records: z.array(scheduleSpecSchema).max(10_000),
      /** Whose set this is; `prune` removes only schedules of this owner. */
      owner: idSchema,
      prune: z.boolean().default(false),
      dryRun: z.boolean().default(false),
    }),
    reply: z.strictObject({
      created: z.array(idSchema),
      updated: z.array(idSchema),
      unchanged: z.array(idSchema),
      removed: z.array(idSchema),
    }),
  },
  'schedule.explain': {
    request: requestSchema({ id: idSchema, at: instantSchema }),
    reply: z.strictObject({
      outcome: z.enum(['fired', 'late', 'skipped', 'missed']),
      reasons: z.array(z.string()),
      agentsConsidered: z.array(
        z.strictObject({ agentId: idSchema, chosen: z.boolean(), reason: z.string().optional() }),
      ),
    }),
  },
} as const;
