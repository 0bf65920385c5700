import { z } from 'zod';
import { replyInstantSchema } from './common.schema.js';
import { ledgerFrameSchema, siteShape } from './ledger.schema.js';

const bytesSchema = z.int().min(0);
const countSchema = z.int().min(0);
const msSchema = z.number().min(0);

/** What the sampler of the heap is, costs and cannot do. `docs/ledger.md` tells how it works. */
export const heapSamplingSchema = z.strictObject({
  /** Whether the sampler runs now. */
  running: z.boolean(),
  /** Why it cannot run here; null when it can, or was not tried. */
  unavailable: z.string().nullable(),
  /** Bytes allocated between two samples, on average; 0 when it does not run. */
  intervalBytes: bytesSchema,
  /** What was allocated before is unknown; null when it does not run. */
  startedAt: replyInstantSchema.nullable(),
  /** Until when it samples at a higher rate; null when it does not. */
  closerUntil: replyInstantSchema.nullable(),
  /** Reads that `sites` are taken from. */
  readsCount: countSchema,
  /** The last of them; null before the first. */
  lastReadAt: replyInstantSchema.nullable(),
  /** Time that all reads took since the process started. */
  costMs: msSchema,
  /** Time that the last read took. */
  lastReadMs: msSchema,
  /** Functions that are followed, 2,048 at most. */
  sitesCount: countSchema,
  /** Functions that were seen, 8,192 at most. */
  locationsCount: countSchema,
  /** Estimate from what its tables hold. */
  memoryBytes: bytesSchema,
  /** Who wants it to run. */
  holders: z.array(z.string()),
});

/** What is alive of what one function of the application allocated, itself or through what it called. */
export const heapSiteSchema = z.strictObject({
  /** First line of the function, not the one that allocates; null when none of the application was on the stack. */
  site: z.strictObject(siteShape).nullable(),
  /** The way to it that holds most, innermost first. */
  stack: z.array(ledgerFrameSchema),
  /** Allocated since the sampling began, and alive: the least of the last window, an estimate. */
  liveBytes: bytesSchema,
  /** Slope of `floor`; while nothing is sure, with what was not collected yet. */
  growthBytesPerSecond: z.number(),
  /** Standard deviations of the growth from chance; sure from 3.5 on. */
  confidence: z.number(),
  /** The least that it held in each window, oldest first. */
  floor: z.array(
    z.strictObject({
      /** End of the window, ms since the epoch. */
      atMs: replyInstantSchema,
      /** The least that it held within. */
      bytes: bytesSchema,
    }),
  ),
});

/** One function of the flame graph. */
export interface HeapNode {
  /** Of the function; `(anonymous)`, or what stands for several in parentheses. */
  name: string;
  /** Relative to the project's root; empty for what has no place. */
  file: string;
  line: number;
  library: boolean;
  /** Allocated below it and alive. */
  bytes: number;
  children: HeapNode[];
}

/** Outermost call first; the bytes of a node are its own and its children's. */
export const heapNodeSchema: z.ZodType<HeapNode> = z
  .strictObject({
    /** Of the function; `(anonymous)`, or what stands for several in parentheses. */
    name: z.string(),
    /** Relative to the project's root; empty for what has no place. */
    file: z.string(),
    /** First line of the function, from 1 on; 0 for what has no place. */
    line: countSchema,
    /** It is in node_modules. */
    library: z.boolean(),
    /** Allocated by it and below it, and alive. */
    bytes: bytesSchema,
    /** What it called, the heaviest first; `(other)` below the root holds what is beyond 2,000 nodes. */
    get children() {
      return z.array(heapNodeSchema);
    },
  })
  .meta({ id: 'HeapNode' });

/** What `GET /diagnostics/heap` answers. */
export const heapSchema = z
  .strictObject({
    /** When this answer was made. */
    takenAt: replyInstantSchema,
    /** What the sampler is, costs and cannot do. */
    sampling: heapSamplingSchema,
    /** Of the whole heap, by V8's own count. */
    heapUsedBytes: bytesSchema,
    /** Of that, what was allocated since the sampling began: an estimate, and the bytes of `tree`. */
    sampledBytes: bytesSchema,
    /** Surest growth first, then most bytes. */
    sites: z.array(heapSiteSchema),
    /** Sites there are, shown or not. */
    totalCount: countSchema,
    /** For a flame graph. */
    tree: heapNodeSchema,
  })
  .meta({ id: 'Heap' });

export type HeapAnswer = z.output<typeof heapSchema>;
