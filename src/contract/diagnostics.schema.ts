import { z } from 'zod';
import { jsonSchema, replyInstantSchema, requestSchema } from './common.schema.js';
import { ledgerGroupsQuerySchema, ledgerGroupsSchema, ledgerStatusSchema } from './ledger.schema.js';
import {
  historyQuerySchema,
  historySchema,
  livesQuerySchema,
  livesSchema,
  recorderStatusSchema,
} from './recorder.schema.js';
import { verdictsQuerySchema, verdictsSchema } from './verdict.schema.js';

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
  ledger: ledgerStatusSchema,
  recorder: recorderStatusSchema,
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
export const diagnosticsSummarySchema = z
  .strictObject({
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
    ledger: orError(diagnosticsSections.ledger),
    recorder: orError(diagnosticsSections.recorder),
    /** What the modules of the application tell about themselves, by name. */
    sources: z.record(z.string(), jsonSchema),
  })
  .meta({ id: 'DiagnosticsSummary' });

export type DiagnosticsSummary = z.output<typeof diagnosticsSummarySchema>;

/** Requests and replies of `diagnostics.*`. */
export const diagnosticsCommands = {
  'diagnostics.summary': { request: requestSchema({}), reply: diagnosticsSummarySchema },
  'diagnostics.verdicts': { request: requestSchema(verdictsQuerySchema.shape), reply: verdictsSchema },
  'diagnostics.groups': { request: requestSchema(ledgerGroupsQuerySchema.shape), reply: ledgerGroupsSchema },
  'diagnostics.history': { request: requestSchema(historyQuerySchema.shape), reply: historySchema },
  'diagnostics.lives': { request: requestSchema(livesQuerySchema.shape), reply: livesSchema },
} as const;
