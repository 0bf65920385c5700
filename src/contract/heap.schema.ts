import { z } from 'zod';
import { replyInstantSchema } from './common.schema.js';
import { ledgerFrameSchema, siteShape } from './ledger.schema.js';

const bytesSchema = z.int().min(0);
const countSchema = z.int().min(0);
const msSchema = z.number().min(0);

/** What the sampler of the heap is, costs and cannot do. `docs/ledger.md` tells how it works. */
export const heapSamplingSchema = z.strictObject({
  running: z.boolean(),
  /** Why it cannot run here; null when it can, or was not tried. */
  unavailable: z.string().nullable(),
  /** Bytes allocated between two samples, on average; 0 when it does not run. */
  intervalBytes: bytesSchema,
  startedAt: replyInstantSchema.nullable(),
  /** Until when it samples at a higher rate; null when it does not. */
  closerUntil: replyInstantSchema.nullable(),
  readsCount: countSchema,
  lastReadAt: replyInstantSchema.nullable(),
  costMs: msSchema,
  lastReadMs: msSchema,
  sitesCount: countSchema,
  locationsCount: countSchema,
  memoryBytes: bytesSchema,
  /** Who wants it to run. */
  holders: z.array(z.string()),
});

/** What is alive of what one function of the application allocated, itself or through what it called. */
export const heapSiteSchema = z.strictObject({
  /** First line of the function; null when none of the application was on the stack. */
  site: z.strictObject(siteShape).nullable(),
  /** The way to it that holds most, innermost first. */
  stack: z.array(ledgerFrameSchema),
  liveBytes: bytesSchema,
  growthBytesPerSecond: z.number(),
  /** Standard deviations of the growth from chance; sure from 3.5 on. */
  confidence: z.number(),
  /** The least that it held in each window, oldest first. */
  floor: z.array(z.strictObject({ atMs: replyInstantSchema, bytes: bytesSchema })),
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
    name: z.string(),
    file: z.string(),
    line: countSchema,
    library: z.boolean(),
    bytes: bytesSchema,
    get children() {
      return z.array(heapNodeSchema);
    },
  })
  .meta({ id: 'HeapNode' });

/** What `GET /diagnostics/heap` answers. */
export const heapSchema = z
  .strictObject({
    takenAt: replyInstantSchema,
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
