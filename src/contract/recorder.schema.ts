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

/** What to show of the past. */
export const historyQuerySchema = z.strictObject({
  /** Only samples that end after it. Default: all there are. */
  from: z.int().min(0).optional(),
  /** Samples are merged so that each spans at least so many ms. Default: as recorded. */
  step: z.int().min(1_000).max(3_600_000).optional(),
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

/** What `GET /diagnostics/lives` and `diagnostics.lives` answer; latest first. */
export const livesSchema = z
  .strictObject({
    takenAt: replyInstantSchema,
    current: lifeSchema,
    previous: z.array(lifeSchema),
  })
  .meta({ id: 'Lives' });

export type HistorySample = z.output<typeof historySampleSchema>;
export type HistoryQuery = z.output<typeof historyQuerySchema>;
export type History = z.output<typeof historySchema>;
export type Life = z.output<typeof lifeSchema>;
export type Lives = z.output<typeof livesSchema>;
