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
    /** End of the interval, by the clock of this machine. */
    at: replyInstantSchema,
    /** How long the interval was: since the sample before, or over all that were merged into this one. */
    intervalMs: msSchema,
    /** Processor time of all threads over the interval; 1 is one core fully used. */
    cpuRatio: ratioSchema,
    /** Resident size. */
    rssBytes: bytesSchema,
    /** V8's heap in use, garbage not yet collected included. */
    heapUsedBytes: bytesSchema,
    /** V8's heap as it is reserved. */
    heapTotalBytes: bytesSchema,
    /** Native memory that JS objects hold, Buffers included. */
    externalBytes: bytesSchema,
    /** Of that, Buffers and other ArrayBuffers. */
    arrayBuffersBytes: bytesSchema,
    /** `rssBytes` less `heapTotalBytes` and `externalBytes`: code, stacks, the allocator. */
    nativeBytes: bytesSchema,
    /** Of the cgroup; null without one. */
    limitBytes: bytesSchema.nullable(),
    /** What is left of that limit; null without one. */
    availableBytes: bytesSchema.nullable(),
    /** Delay of the event loop that 99 % of the looks at it did not exceed; null without a look. Of merged samples the longest. */
    loopDelayP99Ms: msSchema.nullable(),
    /** Share of the interval in which the event loop did not wait; 1 is a loop that never waits. */
    loopUtilizationRatio: ratioSchema,
    /** Time in collections of all kinds during the interval. */
    gcMs: msSchema,
    /** File descriptors open; null where the system does not tell. */
    openFdsCount: countSchema.nullable(),
    /** Work under way, all sources together; null where no source counts it. */
    inFlightCount: countSchema.nullable(),
    /** Alive by kind; kinds with none are left out. */
    kinds: z.record(z.string(), countSchema),
    /** The groups that grow fastest, six at most, two of a kind at most. */
    growing: z.array(
      z.strictObject({
        /** Id of the group, for `/diagnostics/groups/:id`. */
        id: z.string(),
        /** Kind of the resource. */
        kind: z.string(),
        /** Where it is made; null when no line of the application was on the stack. */
        site: z.strictObject(siteShape).nullable(),
        /** How many of the group are alive. */
        live: countSchema,
        /** Growth over the last 30 to 60 seconds. */
        ratePerSecond: z.number(),
      }),
    ),
    /** Units of work finished per second, by name (`http.request`, `command`, …). */
    workPerSecond: z.record(z.string(), z.number().min(0)),
  })
  .meta({ id: 'HistorySample' });

/** Name of a replica, or id of one of its lives. */
const nameSchema = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'expected 1–64 of letters, digits, ".", "_" and "-"');

/** What to show of the past. */
export const historyQuerySchema = z.strictObject({
  /** Only samples that end after it, ms since the epoch. Default: all there are. */
  from: z.int().min(0).optional(),
  /** Samples are merged so that each spans at least so many ms. Default: as recorded. */
  step: z.int().min(1_000).max(3_600_000).optional(),
  /** Of this life instead of the present one (`id` in `diagnostics.lives`), merged to 720 samples at most. */
  life: nameSchema.optional(),
  /** Whose life that was; only together with `life`. Default: this replica's. */
  instance: nameSchema.optional(),
});

/** What `GET /diagnostics/history` and `diagnostics.history` answer. */
export const historySchema = z
  .strictObject({
    /** When this answer was made. */
    takenAt: replyInstantSchema,
    /** Oldest first. */
    samples: z.array(historySampleSchema),
  })
  .meta({ id: 'History' });

/**
 * How a life ended. `killed-near-limit`: without a word, and close to its memory limit; `killed`: without a word, far from it, or by a signal
 * handler that exits with a code above 128.
 */
export const lifeEndSchema = z.enum(['running', 'clean', 'crashed', 'killed-near-limit', 'killed', 'unknown']);

/** A file of evidence that was written at the soft limit. */
export const evidenceFileSchema = z.strictObject({
  /** `/diagnostics/evidence/NAME` gives it. */
  name: z.string(),
  /** When it was written. */
  writtenAt: replyInstantSchema,
  /** Length of the file. */
  bytes: bytesSchema,
});

/** One run of a process, from its start to its end. */
export const lifeSchema = z
  .strictObject({
    /** For `life` of `diagnostics.history`; begins with the moment of its start. */
    id: z.string(),
    /** INSTANCE_NAME of its replica, under which lives follow each other. */
    instance: z.string(),
    /** Its process; 0 where that is not known. */
    pid: z.int(),
    /** When the process started. */
    startedAt: replyInstantSchema,
    /** When it ended; of one that ended without a word, when it wrote its last. Null while it runs, and where nothing is known. */
    endedAt: replyInstantSchema.nullable(),
    /** `clean`: orderly, or code 0. `crashed`: with `exitCode`. `killed-near-limit`, `killed`: without a word, close to its memory limit or not. */
    end: lifeEndSchema,
    /** With which it exited; null where it left none. */
    exitCode: z.int().nullable(),
    /** What it was like last; null where nothing is kept. */
    lastSample: historySampleSchema.nullable(),
    /** Those that were growing or leaking at the last word, eight at most. */
    verdicts: z.array(verdictSchema),
    /** Files of evidence that it wrote at the soft limit and that are still there. */
    evidence: z.array(evidenceFileSchema),
  })
  .meta({ id: 'Life' });

/** Whose lives to list. */
export const livesQuerySchema = z.strictObject({
  /** Another replica, perhaps one that is gone. Default: this one. */
  instance: nameSchema.optional(),
});

/** What `GET /diagnostics/lives` and `diagnostics.lives` answer. */
export const livesSchema = z
  .strictObject({
    /** When this answer was made. */
    takenAt: replyInstantSchema,
    /** The life of the process that answers, whatever `instance` was asked for. */
    current: lifeSchema,
    /** Those before it, latest first; of another `instance` those that are known, running or not. 20 at most, over TCP 5. */
    previous: z.array(lifeSchema),
    /** Replicas of which something is kept in Redis, this one included. */
    instances: z.array(
      z.strictObject({
        /** Its INSTANCE_NAME, for `instance` of a request. */
        instance: z.string(),
        /** When Redis last heard of it. */
        lastAt: replyInstantSchema,
      }),
    ),
    /** Why lives that only Redis keeps are missing; null when none are. */
    unread: z.string().nullable(),
  })
  .meta({ id: 'Lives' });

/** What the recorder has kept, and what it had to drop. */
export const recorderStatusSchema = z.strictObject({
  /** Id of this life. */
  life: z.string(),
  /** Samples held in memory. */
  samplesCount: countSchema,
  /** Their length as JSON. */
  historyBytes: bytesSchema,
  /** Files of evidence that this life wrote. */
  evidenceCount: countSchema,
  /** The file of this life; null without EVIDENCE_DIR. */
  file: z
    .strictObject({
      /** Records in it. */
      writtenCount: countSchema,
      /** Records that could not be written. */
      droppedCount: countSchema,
      /** Why nothing can be written at present; null while all is well. */
      failing: z.string().nullable(),
    })
    .nullable(),
  /** The copy in Redis; null where there is none. */
  copy: z
    .strictObject({
      /** Records that Redis has confirmed. */
      writtenCount: countSchema,
      /** Not confirmed in time, or not sent at all. */
      droppedCount: countSchema,
      /** Records that wait for their confirmation, four at most. */
      underWayCount: countSchema,
      /** When one was last confirmed; null before the first. */
      lastWrittenAt: replyInstantSchema.nullable(),
      /** Why the last one was dropped, until one is confirmed; null while all is well. */
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
