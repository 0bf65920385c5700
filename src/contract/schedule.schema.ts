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

/** What to do with ticks that came due while nobody could fire them; see `misfire` of a schedule. */
export const misfirePolicies = ['skip', 'once', 'all'] as const;
/** What to do when a tick comes due while an earlier run of the schedule has not ended; see `overlap` of a schedule. */
export const overlapPolicies = ['allow', 'skip', 'buffer-one', 'cancel-previous'] as const;

const timingShape = {
  /** 5 or 6 fields (seconds first), evaluated in `timezone`. Exactly one of `cron`, `everyMs` and `at` is given. */
  cron: z.string().min(1).max(256).optional(),
  /** Fixed interval, counted from `startAt` or, without it, from the epoch: every replica computes the same instants. */
  everyMs: durationMsSchema.min(100).optional(),
  /** Once, at this instant. */
  at: instantSchema.optional(),
  /** IANA zone on whose clocks `cron` goes; nothing else depends on it. */
  timezone: z.string().min(1).max(64).default('UTC'),
  /** No tick before this instant; one at it is fired. */
  startAt: instantSchema.optional(),
  /** No tick after this instant; one at it is fired. */
  endAt: instantSchema.optional(),
  /** The schedule ends when so many ticks have been fired; skipped and missed ones do not count. */
  maxRuns: z.int().min(1).max(1_000_000_000).optional(),
  /** Each tick is delayed by up to this, by an amount made of schedule and due time; `tickAt` stays without it. */
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
  /** What each of its runs asks an agent to do. */
  job: jobSchema,
  /** Which agents may execute its runs. Default: any that has a handler for the job, in turn. */
  route: routeSchema,
  /** Of ticks that are late by more than MISFIRE_THRESHOLD_MS `skip` fires none, `once` the newest, `all` every one, the oldest first. */
  misfire: z.enum(misfirePolicies).default('once'),
  /** Ticks that are late by more than MISFIRE_THRESHOLD_MS and by more than this are missed, whatever `misfire` says. */
  catchupWindowMs: durationMsSchema.default(3_600_000),
  /**
   * A tick while a run has not ended: `allow` runs beside it, `skip` is skipped, `buffer-one` waits (further ones are skipped),
   * `cancel-previous` cancels it.
   */
  overlap: z.enum(overlapPolicies).default('allow'),
  /** How long one attempt may take. */
  timeoutMs: durationMsSchema.default(30_000),
  /** What happens after a failed attempt. */
  retry: retrySchema,
  /** Where the value of a good run is kept (`result.get`). Without it results stay with their run only. */
  resultKey: idSchema.optional(),
  /** false: no ticks are demanded. The owner's own switch, beside `schedule.pause`; triggers still run. */
  enabled: z.boolean().default(true),
  /** Why it is disabled, as its owner says; in answers instead the reason of `schedule.pause`, while one holds that gave one. */
  pausedReason: z.string().max(512).optional(),
  /** What `schedule.list` can filter by. */
  tags: z.array(idSchema).max(32).default([]),
} as const;

/** A schedule as its owner declares it. */
export const scheduleSpecSchema = z.strictObject(scheduleShape).refine(oneTiming, oneTimingMessage);
export type ScheduleSpec = z.infer<typeof scheduleSpecSchema>;
/** What a caller may leave out has a default. */
export type ScheduleSpecInput = z.input<typeof scheduleSpecSchema>;

/** A schedule as it is stored and returned. */
export const scheduleSchema = z
  .strictObject({
    ...scheduleShape,
    /** Grows by one each time that the declaration is written, as a rule because it or its owner changed. For `expectedVersion`. */
    version: z.int().min(1),
    /** When it was first declared, since it was last removed. */
    createdAt: replyInstantSchema,
    /** When `version` grew last; a pause does not count. */
    updatedAt: replyInstantSchema,
  })
  .meta({ id: 'Schedule' });
export type Schedule = z.infer<typeof scheduleSchema>;

/** `active`: has a next tick. `paused`: disabled, or by `schedule.pause`. `ended`: no tick will ever come again. */
export const scheduleStates = ['active', 'paused', 'ended'] as const;

/** A schedule with where it stands. */
export const scheduleViewSchema = scheduleSchema
  .extend({
    /** `active`: has a next tick. `paused`: by `schedule.pause`, or not `enabled`. `ended`: no tick will ever come again. */
    state: z.enum(scheduleStates),
    /** Since when `schedule.pause` holds; absent where none does, whatever `enabled` says. */
    pausedAt: replyInstantSchema.optional(),
    /** When the next tick is due, its jitter included; absent while paused and once ended. */
    nextRunAt: replyInstantSchema.optional(),
    /** The run of the tick that was fired last, not of a trigger; absent before the first, and when it is not kept any more. */
    lastRun: z
      .strictObject({
        /** For `run.get`. */
        runId: idSchema,
        /** When its tick was due, without jitter. */
        tickAt: replyInstantSchema.optional(),
        /** How it stands now, or how it ended; see `state` of a run. */
        state: z.enum(runStates),
      })
      .optional(),
    /** How late the last tick was claimed, in ms after it was due with its jitter; of several claimed together the latest. */
    latenessMs: z.int().optional(),
    /** How its due times ended so far; the last four sum to the first. Older than the record's last removal is not counted. */
    ticks: z.strictObject({
      /** Due times that the timing demanded, as far as they were dealt with. */
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
    /** Whose set it belongs to (`schedule.sync`); absent: nobody's. */
    owner: idSchema.optional(),
  })
  .meta({ id: 'ScheduleView' });
export type ScheduleView = z.infer<typeof scheduleViewSchema>;

const brokenSchema = z.array(
  z.strictObject({
    /** The schedule; `schedule.remove` removes it, a new declaration repairs it. */
    id: idSchema,
    /** What is wrong with the record. */
    why: z.string(),
  }),
);

const upsertRequest = requestSchema({
  ...scheduleShape,
  /** Refuse with VERSION_CONFLICT unless the stored version is this; 0 means: must not exist. */
  expectedVersion: z.int().min(0).optional(),
}).refine(oneTiming, oneTimingMessage);

const previewShape = {
  ...timingShape,
  /** The schedule of which jitter is made, and which is none of a crowd. With `jitterMs` and without it nothing is said of crowds. */
  id: idSchema.optional(),
};

/** Requests and replies of `schedule.*`. */
export const scheduleCommands = {
  /**
   * Declares a schedule, a new one or in place of the one with its id; the same declaration again touches nothing, and a pause goes on. Errors:
   * INVALID_ARGUMENT (no such cron expression or zone, or no tick would ever come), VERSION_CONFLICT, RATE_LIMITED (MAX_SCHEDULES), BROKEN_RECORD
   * (with `expectedVersion` only; else a record that cannot be read is replaced).
   */
  'schedule.upsert': {
    request: upsertRequest,
    reply: z.strictObject({
      /** As it is stored now. */
      schedule: scheduleSchema,
      /** true: there was none with this id. */
      created: z.boolean(),
      /** false: the declaration was already stored, nothing was touched. */
      changed: z.boolean(),
      /** The next three ticks, without jitter; none while it is not `enabled`. */
      nextRuns: z.array(replyInstantSchema).max(3),
    }),
  },
  /** One schedule with where it stands. Errors: NOT_FOUND, BROKEN_RECORD. */
  'schedule.get': {
    request: requestSchema({
      /** The schedule to show. */
      id: idSchema,
    }),
    reply: scheduleViewSchema,
  },
  /** Schedules with where they stand, in the order of their ids. A page also ends early when it is long, or few of many match. */
  'schedule.list': {
    request: requestSchema({
      /** Only schedules that have this tag. */
      tag: idSchema.optional(),
      /** Only schedules that their owner enabled, or disabled; a `schedule.pause` changes nothing of that. */
      enabled: z.boolean().optional(),
      ...pageShape,
    }),
    reply: pageSchema(scheduleViewSchema).extend({
      /** Schedules whose records in Redis cannot be read, among those of the page; each counts towards `limit`, whatever the filter. */
      broken: brokenSchema.optional(),
    }),
  },
  /** Forgets a schedule, readable or not; its runs go on, and are kept as long as others. */
  'schedule.remove': {
    request: requestSchema({
      /** The schedule to forget; that there is none is no error. */
      id: idSchema,
      /** true: of its newest 1,000 runs those that have not ended are cancelled. */
      cancelRunning: z.boolean().default(false),
    }),
    reply: z.strictObject({
      /** false: there was no such schedule. */
      removed: z.boolean(),
    }),
  },
  /** Fires no tick until `schedule.resume`, whatever is declared meanwhile; triggers still run. Errors: NOT_FOUND, BROKEN_RECORD. */
  'schedule.pause': {
    request: requestSchema({
      /** The schedule to pause; of one that is paused only the reason changes. */
      id: idSchema,
      /** Shown as `pausedReason`. */
      reason: z.string().max(512).optional(),
    }),
    reply: scheduleViewSchema,
  },
  /** Ends a pause; a schedule that is not paused stays as it is. Errors: NOT_FOUND, BROKEN_RECORD. */
  'schedule.resume': {
    request: requestSchema({
      /** The schedule to fire again. */
      id: idSchema,
      /** true: what fell into the pause is dealt with by the misfire policy and the catch-up window. false: it is skipped. */
      catchUp: z.boolean().default(false),
    }),
    reply: scheduleViewSchema,
  },
  /**
   * Makes a run of the schedule's job now, also of one that is paused, disabled or ended. Errors: NOT_FOUND, BROKEN_RECORD, OVERLAP_SKIPPED,
   * RATE_LIMITED (MAX_OPEN_RUNS); with `wait` also DEADLINE_EXCEEDED, which does not end the run, and the error of a run that did not succeed.
   */
  'schedule.trigger': {
    request: requestSchema({
      /** The schedule whose job, route, retries and overlap policy the run gets. */
      id: idSchema,
      /** Replaces the payload of the schedule's job for this run. */
      payload: jsonSchema.optional(),
      /** Only this agent, instead of the `agentIds` of the schedule's route; its labels and its strategy still hold. */
      agentId: idSchema.optional(),
      /** A second trigger with this key within IDEMPOTENCY_WINDOW_MS answers with the first one's run. */
      idempotencyKey: idempotencyKeySchema.optional(),
      /** Answer when the run has ended, with its result. */
      wait: z.boolean().default(false),
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
  /**
   * The next ticks of a timing, as if it were declared at `from`, and what is odd about them; stores nothing. Errors: INVALID_ARGUMENT (no such
   * cron expression or zone).
   */
  'schedule.preview': {
    request: requestSchema({
      ...previewShape,
      /** How many ticks at most. */
      count: z.int().min(1).max(1000).default(10),
      /** The first instant that counts. Default: now, by the clock of Redis. */
      from: instantSchema.optional(),
    }).refine(oneTiming, oneTimingMessage),
    reply: z.strictObject({
      /** The ticks, without jitter. */
      runs: z.array(replyInstantSchema),
      /** What is odd about the timing. */
      warnings: z.array(
        z.strictObject({
          /**
           * `DST_GAP`, `DST_REPEAT`: a local time is left out, comes twice. `NEVER_FIRES`: no tick at all. `CROWDED_SECOND`: 50 or more schedules
           * are due within it.
           */
          code: z.enum(['DST_GAP', 'DST_REPEAT', 'NEVER_FIRES', 'CROWDED_SECOND']),
          /** When the clocks are changed, or when the crowded second begins; absent for `NEVER_FIRES`. */
          at: replyInstantSchema.optional(),
          /** For people: what is odd, and what happens instead. */
          message: z.string(),
        }),
      ),
    }),
  },
  /**
   * Makes an owner's set of schedules what `records` declares. All of it is checked before anything is stored. Errors: INVALID_ARGUMENT (a timing,
   * an id twice), ALREADY_EXISTS (of another owner), RATE_LIMITED (MAX_SCHEDULES; what is removed makes no room, because it goes last).
   */
  'schedule.sync': {
    request: requestSchema({
      /** The whole set. A schedule that is nobody's becomes the owner's. */
      records: z.array(scheduleSpecSchema).max(10_000),
      /** Whose set this is; `prune` removes only schedules of this owner. */
      owner: idSchema,
      /** true: schedules of the owner that `records` does not have are removed. */
      prune: z.boolean().default(false),
      /** true: nothing is stored; the reply says what would be. */
      dryRun: z.boolean().default(false),
    }),
    reply: z.strictObject({
      /** Schedules that were not there. */
      created: z.array(idSchema),
      /** Schedules whose declaration or owner changed, or whose broken record was replaced. */
      updated: z.array(idSchema),
      /** Schedules that were stored as declared, and were not touched. */
      unchanged: z.array(idSchema),
      /** Schedules that `prune` took away. */
      removed: z.array(idSchema),
    }),
  },
  /**
   * Tells what became of one due time, and why. Errors: NOT_FOUND (no such schedule, or longer ago than its tick ledger reaches), INVALID_ARGUMENT
   * (no due time of it, or not come yet), UNAVAILABLE (being dealt with: ask again), BROKEN_RECORD.
   */
  'schedule.explain': {
    request: requestSchema({
      /** The schedule whose due time it is. */
      id: idSchema,
      /** The due time, without jitter, as `tickAt` of its run has it. */
      at: instantSchema,
    }),
    reply: z.strictObject({
      /** `fired`: became a run within LATE_AFTER_MS, `late`: later. `skipped`: somebody wanted no run. `missed`: nobody could make it in time. */
      outcome: z.enum(['fired', 'late', 'skipped', 'missed']),
      /** For people: why it ended like this, and how its run stands. */
      reasons: z.array(z.string()),
      /** The agent that has its run, and those that could not take it when it was dispatched last; empty where no run is kept. */
      agentsConsidered: z.array(
        z.strictObject({
          /** As it registered. */
          agentId: idSchema,
          /** true: the run was given to it. */
          chosen: z.boolean(),
          /** Why it could not take the run; absent for the chosen one. */
          reason: z.string().optional(),
        }),
      ),
    }),
  },
} as const;
