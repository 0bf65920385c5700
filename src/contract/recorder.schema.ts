import { z } from 'zod';
import { replyInstantSchema } from './common.schema.js';
import { siteShape } from './ledger.schema.js';
import { verdictSchema } from './verdict.schema.js';

const bytesSchema = z.int().min(0);
const countSchema = z.int().min(0);
const msSchema = z.number().min(0);
const ratioSchema = z.number().min(0);

/** What the process was like over one interval of the recorder. */
export const historySampleSchema = z
  .strictObject({
    /** End of the interval. */
    at: replyInstantSchema,
    intervalMs: msSchema,
    /** 1 is one core fully used. */
    cpuRatio: ratioSchema,
    rssBytes: bytesSchema,
    heapUsedBytes: bytesSchema,
    heapTotalBytes: bytesSchema,
    externalBytes: bytesSchema,
    arrayBuffersBytes: bytesSchema,
    /** RSS less heap and external memory. */
    nativeBytes: bytesSchema,
    /** Of the cgroup; null without one. */
    limitBytes: bytesSchema.nullable(),
    availableBytes: bytesSchema.nullable(),
    loopDelayP99Ms: msSchema.nullable(),
    loopUtilizationRatio: ratioSchema,
    gcMs: msSchema,
    openFdsCount: countSchema.nullable(),
    inFlightCount: countSchema.nullable(),
    /** Alive by kind. */
    kinds: z.record(z.string(), countSchema),
    /** The groups that grow fastest. */
    growing: z.array(
      z.strictObject({
        id: z.string(),
        kind: z.string(),
        site: z.strictObject(siteShape).nullable(),
        live: countSchema,
        ratePerSecond: z.number(),
      }),
    ),
    /** Units of work per second, by name. */
    workPerSecond: z.record(z.string(), z.number().min(0)),
  })
  .meta({ id: 'HistorySample' });

/** Name of a replica, or id of one of its lives. */
const nameSchema = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'expected 1–64 of letters, digits, ".", "_" and "-"');

/** What to show of the past. */
export const historyQuerySchema = z.strictObject({
  /** Only samples that end after it. Default: all there are. */
  from: z.int().min(0).optional(),
  /** Samples are merged so that each spans at least so many ms. Default: as recorded. */
  step: z.int().min(1_000).max(3_600_000).optional(),
  /** Of this life instead of the present one, merged to 720 samples at most. */
  life: nameSchema.optional(),
  /** Whose life that was. Default: this replica's. */
  instance: nameSchema.optional(),
});

/** What `GET /diagnostics/history` and `diagnostics.history` answer; samples oldest first. */
export const historySchema = z
  .strictObject({ takenAt: replyInstantSchema, samples: z.array(historySampleSchema) })
  .meta({ id: 'History' });

/**
 * How a life ended. `killed-near-limit`: without a word, and close to its memory limit; `killed`: without a word, far from it.
 */
export const lifeEndSchema = z.enum(['running', 'clean', 'crashed', 'killed-near-limit', 'killed', 'unknown']);

/** A file of evidence that was written at the soft limit. */
export const evidenceFileSchema = z.strictObject({
  name: z.string(),
  writtenAt: replyInstantSchema,
  bytes: bytesSchema,
});

/** One run of a process, under the same instance name as this one. */
export const lifeSchema = z
  .strictObject({
    id: z.string(),
    instance: z.string(),
    pid: z.int(),
    startedAt: replyInstantSchema,
    /** Of the last thing it wrote, when it did not end in an orderly way; null while it runs. */
    endedAt: replyInstantSchema.nullable(),
    end: lifeEndSchema,
    exitCode: z.int().nullable(),
    lastSample: historySampleSchema.nullable(),
    /** Those that were growing or leaking at the last word. */
    verdicts: z.array(verdictSchema),
    evidence: z.array(evidenceFileSchema),
  })
  .meta({ id: 'Life' });

/** Whose lives to list. */
export const livesQuerySchema = z.strictObject({
  /** Another replica, perhaps one that is gone. Default: this one. */
  instance: nameSchema.optional(),
});

/** What `GET /diagnostics/lives` and `diagnostics.lives` answer; latest first. */
export const livesSchema = z
  .strictObject({
    takenAt: replyInstantSchema,
    current: lifeSchema,
    previous: z.array(lifeSchema),
    /** Replicas of which something is kept in Redis, this one included. */
    instances: z.array(z.strictObject({ instance: z.string(), lastAt: replyInstantSchema })),
    /** Why lives that only Redis keeps are missing; null when none are. */
    unread: z.string().nullable(),
  })
  .meta({ id: 'Lives' });

/** What the recorder has kept, and what it had to drop. */
export const recorderStatusSchema = z.strictObject({
  /** Id of this life. */
  life: z.string(),
  samplesCount: countSchema,
  /** Length of what is held in memory. */
  historyBytes: bytesSchema,
  /** Files of evidence that this life wrote. */
  evidenceCount: countSchema,
  /** Null without a directory. */
  file: z
    .strictObject({ writtenCount: countSchema, droppedCount: countSchema, failing: z.string().nullable() })
    .nullable(),
  /** The copy in Redis; null where there is none. */
  copy: z
    .strictObject({
      writtenCount: countSchema,
      /** Not confirmed in time, or not sent at all. */
      droppedCount: countSchema,
      underWayCount: countSchema,
      lastWrittenAt: replyInstantSchema.nullable(),
      failing: z.string().nullable(),
    })
    .nullable(),
});

export type HistorySample = z.output<typeof historySampleSchema>;
export type HistoryQuery = z.output<typeof historyQuerySchema>;
export type History = z.output<typeof historySchema>;
export type Life = z.output<typeof lifeSchema>;
export type Lives = z.output<typeof livesSchema>;
export type LivesQuery = z.output<typeof livesQuerySchema>;
export type RecorderStatus = z.output<typeof recorderStatusSchema>;
