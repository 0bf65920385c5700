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
  id: z.string(),
  kind: z.string(),
  site: z.strictObject(siteShape).nullable(),
  live: countSchema,
  liveBytes: bytesSchema.optional(),
  ratePerSecond: z.number(),
});

/** A limit that the growth will meet. */
export const verdictLimitSchema = z.strictObject({
  /** `cgroup memory`, `V8 heap`, `file descriptors`, or a declared ceiling. */
  name: z.string(),
  bytes: bytesSchema.optional(),
  count: countSchema.optional(),
  /** Until then at the present rate; null when the growth is too slow or too uncertain to say. */
  etaMs: msSchema.nullable(),
  etaLowMs: msSchema.nullable(),
  etaHighMs: msSchema.nullable(),
});

/** Whether one subject leaks, and why we think so. `docs/verdicts.md` tells what each field means. */
export const verdictSchema = z
  .strictObject({
    /** The id of the group, or the name of the subject. */
    id: z.string(),
    state: verdictStateSchema,
    subject: verdictSubjectSchema,
    /** Kind of the resource (`ioredis.client`), or `heap.floor`, `memory.external`, `memory.native`, `fds`. */
    kind: z.string(),
    /** Where it is made; null when that is not known. */
    site: z.strictObject(siteShape).nullable(),
    /** `line` from the ledger; `function` from the heap profile, which names the first line of a function. */
    precision: z.enum(['line', 'function']).nullable(),
    /** Kind of the owner that opened it, when it was not made by the application itself. */
    via: z.string().optional(),
    live: countSchema,
    liveBytes: bytesSchema.optional(),
    /** Growth: resources per second, or bytes per second for subjects measured in bytes. */
    ratePerSecond: z.number(),
    /** Growth per unit of work, when it goes with the work rather than with time. */
    perCommand: z.number().optional(),
    /** Name of that unit: `http.request`, `command`, … */
    perCommandOf: z.string().optional(),
    /** How long the state has stood. */
    sinceMs: msSchema,
    /** 0 … 1. */
    confidence: z.number().min(0).max(1),
    /** Plain words, one per gate that decided. */
    reasons: z.array(z.string()),
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
  rssBytes: bytesSchema,
  heapBytes: bytesSchema,
  externalBytes: bytesSchema,
  /** What is left: native code, allocator, stacks, code pages. */
  nativeBytes: bytesSchema,
});

/** What to list. */
export const verdictsQuerySchema = z.strictObject({
  /** Only verdicts of this state. */
  state: verdictStateSchema.optional(),
  limit: z.int().min(1).max(200).default(50),
});

/** What `GET /diagnostics/verdicts` and `diagnostics.verdicts` answer. */
export const verdictsSchema = z
  .strictObject({
    takenAt: replyInstantSchema,
    /** The worst state among the verdicts. */
    state: verdictStateSchema,
    /** For people: the first thing to know. */
    sentence: z.string(),
    /** How long the process has been watched. */
    watchedMs: msSchema,
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
