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
export const sectionErrorSchema = z.strictObject({
  /** Class and code of the failure; its text is in the log. */
  error: z.string(),
});

const gcKindSchema = z.strictObject({
  /** How many there were. */
  count: countSchema,
  /** Sum of their durations. */
  totalMs: msSchema,
  /** The longest. */
  maxMs: msSchema,
});

/** Sections of the diagnostics answer. `docs/diagnostics.md` tells unit, source and cost of each field. */
export const diagnosticsSections = {
  /** Which process answers: id, start, versions, cores. */
  process: z.strictObject({
    /** Of the operating system; 1 in most containers. */
    pid: z.int(),
    /** When the process started. */
    startedAt: replyInstantSchema,
    /** Since it started. */
    uptimeMs: msSchema,
    /** Without a leading v. */
    nodeVersion: z.string(),
    /** Of the V8 in it. */
    v8Version: z.string(),
    /** `linux`, `darwin`, … */
    platform: z.string(),
    /** `x64`, `arm64`, … */
    arch: z.string(),
    /** Cores that this process may use, as of its start. */
    cpuCount: countSchema,
  }),
  /** What the kernel charges the process with, its limit, and what is left of it. */
  memory: z.strictObject({
    /** Resident pages, heap and native together. */
    rssBytes: bytesSchema,
    /** Highest resident size since the start. */
    peakRssBytes: bytesSchema,
    /** Native memory that JS objects hold, array buffers included. */
    externalBytes: bytesSchema,
    /** Of that, ArrayBuffer, SharedArrayBuffer and Buffer. */
    arrayBuffersBytes: bytesSchema,
    /** Of the cgroup; null without one, or with one above what the machine has. */
    limitBytes: bytesSchema.nullable(),
    /** `rssBytes` / `limitBytes`, null without a limit; near 1 the kernel kills the process. */
    usedRatio: ratioSchema.nullable(),
    /** What may still be taken; null where Node cannot tell. */
    availableBytes: bytesSchema.nullable(),
    /** Of the whole machine, as of the start. */
    machineTotalBytes: bytesSchema,
  }),
  /** V8's heap of the main thread against its limit. */
  heap: z.strictObject({
    /** Live objects and garbage not yet collected. */
    usedBytes: bytesSchema,
    /** Reserved from the system. */
    totalBytes: bytesSchema,
    /** Of that, committed. */
    physicalBytes: bytesSchema,
    /** At this size V8 ends the process. */
    limitBytes: bytesSchema,
    /** `usedBytes` / `limitBytes`. */
    usedRatio: ratioSchema,
    /** What may still be allocated. */
    availableBytes: bytesSchema,
    /** Taken by V8 itself outside the heap. */
    mallocedBytes: bytesSchema,
    /** The most that it took so. */
    peakMallocedBytes: bytesSchema,
    /** vm contexts alive; one that only grows is a leak. */
    nativeContextsCount: countSchema,
    /** Contexts closed but still referenced; above 0 for long is a leak. */
    detachedContextsCount: countSchema,
  }),
  /** The same heap by V8's spaces. */
  heapSpaces: z.record(
    z.string(),
    z.strictObject({
      /** Live objects and garbage in this space. */
      usedBytes: bytesSchema,
      /** Reserved. */
      sizeBytes: bytesSchema,
      /** Free inside it. */
      availableBytes: bytesSchema,
      /** Committed. */
      physicalBytes: bytesSchema,
    }),
  ),
  /** What keeps the event loop alive, by Node's type name; what is unref'd is left out. */
  activeResources: z.strictObject({
    /** All types together. */
    totalCount: countSchema,
    /** The same by type: `TCPSocketWrap`, `Timeout`, … */
    countByType: z.record(z.string(), countSchema),
  }),
  /** File descriptors open, and how many may be. */
  openFds: z.strictObject({
    /** Open now; null without /proc. */
    openCount: countSchema.nullable(),
    /** Soft limit; null without /proc, or when unlimited. */
    limitCount: countSchema.nullable(),
    /** `openCount` / `limitCount`; at 1 every open and accept fails with EMFILE. Null where one of them is. */
    usedRatio: ratioSchema.nullable(),
  }),
  /** How late the event loop came back, over at least the last 10 s; null where no sample was taken. */
  eventLoopDelay: z.strictObject({
    /** Length of the window. */
    windowMs: msSchema,
    /** Samples in it, one per 20 ms of a loop that turns. */
    samplesCount: countSchema,
    /** Mean delay, less the 20 ms of the sampling itself, as are the others. */
    meanMs: msSchema.nullable(),
    /** Half of the samples were not later. */
    p50Ms: msSchema.nullable(),
    /** 99 % of the samples were not later. */
    p99Ms: msSchema.nullable(),
    /** The longest block. */
    maxMs: msSchema.nullable(),
  }),
  /** How busy the event loop was, over at least the last 10 s. */
  eventLoopUtilization: z.strictObject({
    /** Length of the window. */
    windowMs: msSchema,
    /** In code of this process. */
    activeMs: msSchema,
    /** Waiting for events. */
    idleMs: msSchema,
    /** `activeMs` / (`activeMs` + `idleMs`); 1 is a loop that never waits. */
    utilizationRatio: ratioSchema,
  }),
  /** Collections since the start, by kind; the main thread stands still meanwhile. */
  gc: z.strictObject({
    /** All kinds together. */
    totalCount: countSchema,
    /** Time in them. */
    totalMs: msSchema,
    /** Of the young generation. */
    minor: gcKindSchema,
    /** Of the whole heap: mark, sweep, compact. */
    major: gcKindSchema,
    /** Marking in steps. */
    incremental: gcKindSchema,
    /** Callbacks of weak references after a collection. */
    weakCallbacks: gcKindSchema,
  }),
  /** Processor time of all threads. */
  cpu: z.strictObject({
    /** In user mode since the start. */
    userMs: msSchema,
    /** In the kernel since the start. */
    systemMs: msSchema,
    /** Length of the window of `usedRatio`: at least 10 s, and since the read before. */
    windowMs: msSchema,
    /** Processor time over the window / `windowMs`; 1 is one core fully used. */
    usedRatio: ratioSchema,
  }),
  /** Whether the ledger counts, since when, and what that costs; the counts are in `diagnostics.groups`. */
  ledger: ledgerStatusSchema,
  /** What the recorder has kept of this life, and what it had to drop. */
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

/**
 * What `GET /diagnostics` and `diagnostics.summary` answer; `docs/diagnostics.md` has the fields of each section. One that could not be read is
 * `{error}`.
 */
export const diagnosticsSummarySchema = z
  .strictObject({
    /** When the read began, by the clock of this machine. */
    takenAt: replyInstantSchema,
    /** How long the read took, sources included. */
    readMs: msSchema,
    /** Which process answers: id, start, versions, cores. */
    process: orError(diagnosticsSections.process),
    /** What the kernel charges the process with, its limit, and what is left of it. */
    memory: orError(diagnosticsSections.memory),
    /** V8's heap of the main thread against its limit. */
    heap: orError(diagnosticsSections.heap),
    /** The same heap by V8's spaces. */
    heapSpaces: orError(diagnosticsSections.heapSpaces),
    /** What keeps the event loop alive, by Node's type name; what is unref'd is left out. */
    activeResources: orError(diagnosticsSections.activeResources),
    /** File descriptors open, and how many may be. */
    openFds: orError(diagnosticsSections.openFds),
    /** How late the event loop came back, over at least the last 10 s; null where no sample was taken. */
    eventLoopDelay: orError(diagnosticsSections.eventLoopDelay),
    /** How busy the event loop was, over at least the last 10 s. */
    eventLoopUtilization: orError(diagnosticsSections.eventLoopUtilization),
    /** Collections since the start, by kind; the main thread stands still meanwhile. */
    gc: orError(diagnosticsSections.gc),
    /** Processor time of all threads. */
    cpu: orError(diagnosticsSections.cpu),
    /** Whether the ledger counts, since when, and what that costs; the counts are in `diagnostics.groups`. */
    ledger: orError(diagnosticsSections.ledger),
    /** What the recorder has kept of this life, and what it had to drop. */
    recorder: orError(diagnosticsSections.recorder),
    /** What the modules of the application tell about themselves, by name; `{error}` for one that is late or fails. */
    sources: z.record(z.string(), jsonSchema),
  })
  .meta({ id: 'DiagnosticsSummary' });

export type DiagnosticsSummary = z.output<typeof diagnosticsSummarySchema>;

/** Requests and replies of `diagnostics.*`. */
export const diagnosticsCommands = {
  /** What this process holds: memory, heap, descriptors, the event loop, collections, and what its modules say of themselves. */
  'diagnostics.summary': { request: requestSchema({}), reply: diagnosticsSummarySchema },
  /** What leaks: made where, how fast, and when it meets a limit. Without a running ledger there are none, and `sentence` says so. */
  'diagnostics.verdicts': { request: requestSchema(verdictsQuerySchema.shape), reply: verdictsSchema },
  /** What is alive, by the line that made it. Without a running ledger the lists are empty, and `ledger.running` is false. */
  'diagnostics.groups': { request: requestSchema(ledgerGroupsQuerySchema.shape), reply: ledgerGroupsSchema },
  /**
   * What the process was like, as the recorder remembers it; merged until the answer has 48 KiB at most. Errors: INVALID_ARGUMENT (`instance` without
   * `life`), NOT_FOUND (nothing is kept of that life), UNAVAILABLE (Redis may have it, and does not answer).
   */
  'diagnostics.history': { request: requestSchema(historyQuerySchema.shape), reply: historySchema },
  /** This life and those before it: how each ended, its last sample, what was growing then, and its files of evidence. */
  'diagnostics.lives': { request: requestSchema(livesQuerySchema.shape), reply: livesSchema },
} as const;
