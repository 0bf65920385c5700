import { z } from 'zod';
import { replyInstantSchema } from './common.schema.js';

const bytesSchema = z.int().min(0);
const countSchema = z.int().min(0);
const msSchema = z.number().min(0);
const ratioSchema = z.number().min(0);

/** A line of the application, or of a library. */
export const siteShape = {
  /** Relative to the project's root, in the source it was compiled from where that is known. */
  file: z.string(),
  line: countSchema,
  column: countSchema,
  function: z.string().nullable(),
};

/** One call on the way to a resource; `library` when it is in node_modules. */
export const ledgerFrameSchema = z.strictObject({ ...siteShape, library: z.boolean() });

/** What is counted of a kind, and of each of its groups. */
const countedShape = {
  kind: z.string(),
  live: countSchema,
  liveBytes: bytesSchema.optional(),
  created: countSchema,
  closed: countSchema,
  collectedOpen: countSchema,
  peak: countSchema,
  /** False: `live` is an estimate, of a group with `error` as its standard deviation. */
  exact: z.boolean(),
};

/** Resources of one kind made at one place. `docs/ledger.md` tells what each field means. */
export const ledgerGroupSchema = z
  .strictObject({
    id: z.string(),
    ...countedShape,
    error: countSchema,
    site: z.strictObject(siteShape).nullable(),
    provider: z.string().optional(),
    via: z.string().optional(),
    overflow: z.string().optional(),
    stack: z.array(ledgerFrameSchema),
    ageMs: z.strictObject({ mean: msSchema, oldest: msSchema }).nullable(),
    lifetimeMs: z.strictObject({ median: msSchema, p95: msSchema }).nullable(),
    ratePerSecond: z.number(),
  })
  .meta({ id: 'LedgerGroup' });

/** What changed in a group over `deltaMs`. */
export const ledgerGroupDeltaSchema = z.strictObject({ live: z.int(), created: z.int(), closed: z.int() });

/** Exact totals of one kind. */
export const ledgerKindSchema = z.strictObject({ ...countedShape, groupsCount: countSchema });

/** What the ledger is, costs and could not do. */
export const ledgerStatusSchema = z.strictObject({
  running: z.boolean(),
  startedAt: replyInstantSchema.nullable(),
  startedLateMs: msSchema,
  costMs: z.strictObject({ capture: msSchema, tick: msSchema }),
  costShare: ratioSchema,
  capturesCount: countSchema,
  capturesPerSecond: z.number().min(0),
  memoryBytes: bytesSchema,
  groupsCount: countSchema,
  samplesCount: countSchema,
  locationsCount: countSchema,
  failuresCount: countSchema,
  lastFailure: z.string().nullable(),
  unhooked: z.array(z.string()),
});

/** Orders of groups: most alive, most made, growing fastest, oldest, most dropped without close. */
export const ledgerSortSchema = z.enum(['live', 'created', 'rate', 'age', 'collected']);

/** What to list. */
export const ledgerGroupsQuerySchema = z.strictObject({
  /** Only this kind, or kinds below it: `socket` takes `socket.client`, too. */
  kind: z.string().min(1).max(64).optional(),
  /** Only groups with so many alive. */
  min: z.int().min(0).default(1),
  sort: ledgerSortSchema.default('live'),
  limit: z.int().min(1).max(200).default(50),
});

/** What `GET /diagnostics/groups` and `diagnostics.groups` answer. */
export const ledgerGroupsSchema = z
  .strictObject({
    takenAt: replyInstantSchema,
    ledger: ledgerStatusSchema,
    kinds: z.array(ledgerKindSchema),
    groups: z.array(ledgerGroupSchema.extend({ delta: ledgerGroupDeltaSchema.optional() })),
    /** Groups that match, shown or not. */
    totalCount: countSchema,
    /** Over what `delta` of each group was taken. */
    deltaMs: msSchema.optional(),
  })
  .meta({ id: 'LedgerGroups' });

export type LedgerGroups = z.output<typeof ledgerGroupsSchema>;
export type LedgerGroupsQuery = z.output<typeof ledgerGroupsQuerySchema>;
