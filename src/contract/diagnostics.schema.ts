import { z } from 'zod';
import { jsonSchema, replyInstantSchema, requestSchema } from './common.schema.js';

const bytesSchema = z.int().min(0);
const countSchema = z.int().min(0);
const msSchema = z.number().min(0);
const ratioSchema = z.number().min(0);

/** Stands in the place of a section that could not be read; the rest of the answer is complete. */
export const sectionErrorSchema = z.strictObject({ error: z.string() });

const gcKindSchema = z.strictObject({ count: countSchema, totalMs: msSchema, maxMs: msSchema });

/** Sections of the diagnostics answer. `docs/diagnostics.md` tells unit, source and cost of each field. */
export const diagnosticsSections = {
  process: z.strictObject({
    pid: z.int(),
    startedAt: replyInstantSchema,
    uptimeMs: msSchema,
    nodeVersion: z.string(),
    v8Version: z.string(),
    platform: z.string(),
    arch: z.string(),
    cpuCount: countSchema,
  }),
  memory: z.strictObject({
    rssBytes: bytesSchema,
    peakRssBytes: bytesSchema,
    externalBytes: bytesSchema,
    arrayBuffersBytes: bytesSchema,
    limitBytes: bytesSchema.nullable(),
    usedRatio: ratioSchema.nullable(),
    availableBytes: bytesSchema.nullable(),
    machineTotalBytes: bytesSchema,
  }),
  heap: z.strictObject({
    usedBytes: bytesSchema,
    totalBytes: bytesSchema,
    physicalBytes: bytesSchema,
    limitBytes: bytesSchema,
    usedRatio: ratioSchema,
    availableBytes: bytesSchema,
    mallocedBytes: bytesSchema,
    peakMallocedBytes: bytesSchema,
    nativeContextsCount: countSchema,
    detachedContextsCount: countSchema,
  }),
  heapSpaces: z.record(
    z.string(),
    z.strictObject({
      usedBytes: bytesSchema,
      sizeBytes: bytesSchema,
      availableBytes: bytesSchema,
      physicalBytes: bytesSchema,
    }),
  ),
  activeResources: z.strictObject({ totalCount: countSchema, countByType: z.record(z.string(), countSchema) }),
  openFds: z.strictObject({
    openCount: countSchema.nullable(),
    limitCount: countSchema.nullable(),
    usedRatio: ratioSchema.nullable(),
  }),
  eventLoopDelay: z.strictObject({
    windowMs: msSchema,
    samplesCount: countSchema,
    meanMs: msSchema.nullable(),
    p50Ms: msSchema.nullable(),
    p99Ms: msSchema.nullable(),
    maxMs: msSchema.nullable(),
  }),
  eventLoopUtilization: z.strictObject({
    windowMs: msSchema,
    activeMs: msSchema,
    idleMs: msSchema,
    utilizationRatio: ratioSchema,
  }),
  gc: z.strictObject({
    totalCount: countSchema,
    totalMs: msSchema,
    minor: gcKindSchema,
    major: gcKindSchema,
    incremental: gcKindSchema,
    weakCallbacks: gcKindSchema,
  }),
  cpu: z.strictObject({ userMs: msSchema, systemMs: msSchema, windowMs: msSchema, usedRatio: ratioSchema }),
} as const;

type Sections = typeof diagnosticsSections;
/** Name of a section that every process has. */
export type DiagnosticsSectionName = keyof Sections;
/** What a section holds when it could be read. */
export type DiagnosticsSection<Name extends DiagnosticsSectionName> = z.output<Sections[Name]>;

function orError<Section extends z.ZodType>(section: Section) {
  return z.union([section, sectionErrorSchema]);
}

/** What `GET /diagnostics` and `diagnostics.summary` answer. */
export const diagnosticsSummarySchema = z.strictObject({
  takenAt: replyInstantSchema,
  readMs: msSchema,
  process: orError(diagnosticsSections.process),
  memory: orError(diagnosticsSections.memory),
  heap: orError(diagnosticsSections.heap),
  heapSpaces: orError(diagnosticsSections.heapSpaces),
  activeResources: orError(diagnosticsSections.activeResources),
  openFds: orError(diagnosticsSections.openFds),
  eventLoopDelay: orError(diagnosticsSections.eventLoopDelay),
  eventLoopUtilization: orError(diagnosticsSections.eventLoopUtilization),
  gc: orError(diagnosticsSections.gc),
  cpu: orError(diagnosticsSections.cpu),
  /** What the modules of the application tell about themselves, by name. */
  sources: z.record(z.string(), jsonSchema),
});

export type DiagnosticsSummary = z.output<typeof diagnosticsSummarySchema>;

const siteShape = {
  /** Relative to the project's root, in the source it was compiled from where that is known. */
  file: z.string(),
  line: countSchema,
  column: countSchema,
  function: z.string().nullable(),
};

/** One call on the way to a resource; `library` when it is in node_modules. */
export const ledgerFrameSchema = z.strictObject({ ...siteShape, library: z.boolean() });

/** Resources of one kind made at one place. `docs/ledger.md` tells what each field means. */
export const ledgerGroupSchema = z.strictObject({
  id: z.string(),
  kind: z.string(),
  live: countSchema,
  liveBytes: bytesSchema.optional(),
  created: countSchema,
  closed: countSchema,
  collectedOpen: countSchema,
  peak: countSchema,
  /** False: `live` is an estimate, with `error` as its standard deviation. */
  exact: z.boolean(),
  error: countSchema,
  site: z.strictObject(siteShape).nullable(),
  provider: z.string().optional(),
  via: z.string().optional(),
  overflow: z.string().optional(),
  stack: z.array(ledgerFrameSchema),
  ageMs: z.strictObject({ mean: msSchema, oldest: msSchema }).nullable(),
  lifetimeMs: z.strictObject({ median: msSchema, p95: msSchema }).nullable(),
  ratePerSecond: z.number(),
});

/** What changed in a group over `deltaMs`. */
export const ledgerGroupDeltaSchema = z.strictObject({ live: z.int(), created: z.int(), closed: z.int() });

/** Exact totals of one kind. */
export const ledgerKindSchema = z.strictObject({
  kind: z.string(),
  live: countSchema,
  liveBytes: bytesSchema.optional(),
  created: countSchema,
  closed: countSchema,
  collectedOpen: countSchema,
  peak: countSchema,
  exact: z.boolean(),
  groupsCount: countSchema,
});

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
export const ledgerGroupsSchema = z.strictObject({
  takenAt: replyInstantSchema,
  ledger: ledgerStatusSchema,
  kinds: z.array(ledgerKindSchema),
  groups: z.array(ledgerGroupSchema.extend({ delta: ledgerGroupDeltaSchema.optional() })),
  /** Groups that match, shown or not. */
  totalCount: countSchema,
  /** Over what `delta` of each group was taken. */
  deltaMs: msSchema.optional(),
});

export type LedgerGroups = z.output<typeof ledgerGroupsSchema>;
export type LedgerGroupsQuery = z.output<typeof ledgerGroupsQuerySchema>;

/** Requests and replies of `diagnostics.*`. */
export const diagnosticsCommands = {
  'diagnostics.summary': { request: requestSchema({}), reply: diagnosticsSummarySchema },
  'diagnostics.groups': { request: requestSchema(ledgerGroupsQuerySchema.shape), reply: ledgerGroupsSchema },
} as const;
