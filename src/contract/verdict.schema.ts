import { z } from 'zod';
import { replyInstantSchema } from './common.schema.js';
import { siteShape } from './ledger.schema.js';

const bytesSchema = z.int().min(0);
const countSchema = z.int().min(0);
const msSchema = z.number().min(0);

/**
 * `growing` is what cannot be told from a cache on its way to a cap; `retracted` was growing or leaking, and stays visible
 * for a while after it has stopped.
 */
export const verdictStateSchema = z.enum(['not-enough-data', 'not-leaking', 'growing', 'leaking', 'retracted']);

/** What is judged: a group of the ledger, or a sum over the process. */
export const verdictSubjectSchema = z.enum(['group', 'heap', 'external', 'native', 'fds']);

/** What goes with a verdict: the socket, the timers, the memory of what leaks. */
export const verdictKinSchema = z.strictObject({
  /** Id of its own verdict. */
  id: z.string(),
  /** As `kind` of a verdict. */
  kind: z.string(),
  /** Where it is made; null when that is not known. */
  site: z.strictObject(siteShape).nullable(),
  /** As `live` of a verdict. */
  live: countSchema,
  /** As `liveBytes` of a verdict. */
  liveBytes: bytesSchema.optional(),
  /** Its growth, in resources or bytes; 0 while it does not grow. */
  ratePerSecond: z.number(),
});

/** A limit that the growth will meet. */
export const verdictLimitSchema = z.strictObject({
  /** `cgroup memory`, `V8 heap`, `file descriptors`, or `declared ceiling` (`expectAtMost` of the application). */
  name: z.string(),
  /** Where it lies, for a limit of memory. */
  bytes: bytesSchema.optional(),
  /** Where it lies, for a limit on a number. */
  count: countSchema.optional(),
  /** Until then at the present rate; null when the growth is too slow or too uncertain to say. */
  etaMs: msSchema.nullable(),
  /** The soonest by the 95 % interval of the rate; null where there is none. */
  etaLowMs: msSchema.nullable(),
  /** The latest by the 95 % interval of the rate; null where there is none. */
  etaHighMs: msSchema.nullable(),
});

/** Whether one subject leaks, and why we think so. `docs/verdicts.md` tells what each field means. */
export const verdictSchema = z
  .strictObject({
    /** The id of the group, or the name of the subject. */
    id: z.string(),
    /**
     * `growing`: cannot be told from what fills up to its size, or not yet. `leaking`: grows as healthy things do not. `retracted`: was one of them
     * within the last 10 min.
     */
    state: verdictStateSchema,
    /** A line of the ledger (`group`), or of the whole process heap, external or native memory, or descriptors that no line accounts for (`fds`). */
    subject: verdictSubjectSchema,
    /** Kind of the resource (`ioredis.client`), or `heap.floor`, `memory.external`, `memory.native`, `fds`. */
    kind: z.string(),
    /** Where it is made; null when that is not known. */
    site: z.strictObject(siteShape).nullable(),
    /** `line` from the ledger; `function` from the heap profile, which names the first line of a function. */
    precision: z.enum(['line', 'function']).nullable(),
    /** Kind of the owner that opened it, when it was not made by the application itself. */
    via: z.string().optional(),
    /** How many are alive, but for timers that are not due yet; 0 for memory of the process, and the bytes for a line of Buffers. */
    live: countSchema,
    /** How much is held, where bytes are what is judged; absent where it is a number. */
    liveBytes: bytesSchema.optional(),
    /** Growth: resources per second, or bytes per second for subjects measured in bytes; 0 unless it is growing or leaking. */
    ratePerSecond: z.number(),
    /** Growth per unit of work, when it goes with the work rather than with time. */
    perCommand: z.number().optional(),
    /** Name of that unit: `http.request`, `command`, … */
    perCommandOf: z.string().optional(),
    /** How long the state has stood. */
    sinceMs: msSchema,
    /** How sure the state is, from 0 (not enough data) to 1. */
    confidence: z.number().min(0).max(1),
    /** Plain words, one per gate that decided. */
    reasons: z.array(z.string()),
    /** The limit that is met first; absent where there is none, and while it neither grows nor leaks. */
    limit: verdictLimitSchema.optional(),
    /** `allocator`: memory that the process keeps although nothing in it grows; no leak, but the limit is met all the same. */
    cause: z.enum(['allocator']).optional(),
    /** Id of the verdict that explains this one: the client whose sockets these are. */
    partOf: z.string().optional(),
    /** What is explained by this one. */
    goesWith: z.array(verdictKinSchema).optional(),
    /** For people: what, how many, made where, how fast, until when. */
    sentence: z.string(),
  })
  .meta({ id: 'Verdict' });

/** Resident memory by what holds it; the parts sum to `rssBytes`. */
export const rssSplitSchema = z.strictObject({
  /** All of it. */
  rssBytes: bytesSchema,
  /** V8's heap, as far as it is reserved. */
  heapBytes: bytesSchema,
  /** What JS objects hold outside the heap, Buffers mostly. */
  externalBytes: bytesSchema,
  /** What is left: native code, allocator, stacks, code pages. */
  nativeBytes: bytesSchema,
});

/** Which verdicts to list. */
export const verdictsQuerySchema = z.strictObject({
  /** Only verdicts of this state. */
  state: verdictStateSchema.optional(),
  /** How many verdicts at most. */
  limit: z.int().min(1).max(200).default(50),
});

/** What `GET /diagnostics/verdicts` and `diagnostics.verdicts` answer. */
export const verdictsSchema = z
  .strictObject({
    /** When this answer was made; the detector looks every 5 s. */
    takenAt: replyInstantSchema,
    /** The worst state among all verdicts, listed or not. */
    state: verdictStateSchema,
    /** For people: the first thing to know. */
    sentence: z.string(),
    /** How long the process has been watched; 0 without a running ledger. */
    watchedMs: msSchema,
    /** Resident memory by what holds it; the parts sum to `rssBytes`. */
    rss: rssSplitSchema,
    /** Leaking first, then growing, retracted, and the rest; in each what stands by itself before what goes with it. */
    verdicts: z.array(verdictSchema),
    /** Verdicts that match, listed or not. */
    totalCount: countSchema,
  })
  .meta({ id: 'Verdicts' });

export type VerdictState = z.output<typeof verdictStateSchema>;
export type Verdict = z.output<typeof verdictSchema>;
export type VerdictsQuery = z.output<typeof verdictsQuerySchema>;
export type Verdicts = z.output<typeof verdictsSchema>;
