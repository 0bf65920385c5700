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
  /** From 1 on. */
  line: countSchema,
  /** From 1 on. */
  column: countSchema,
  /** The function around it; null where that has no name. */
  function: z.string().nullable(),
};

/** One call on the way to a resource; `library` when it is in node_modules. */
export const ledgerFrameSchema = z.strictObject({
  ...siteShape,
  /** It is in node_modules. */
  library: z.boolean(),
});

/** What is counted of a kind, and of each of its groups. */
const countedShape = {
  /** What it is: `socket.client`, `timer`, `ioredis.client`, …; `docs/ledger.md` lists them. */
  kind: z.string(),
  /** Alive now: opened, and neither closed nor collected. */
  live: countSchema,
  /** Bytes that those hold, an estimate; for `buffer` and `arraybuffer` only. */
  liveBytes: bytesSchema.optional(),
  /** Opened since the ledger began. */
  created: countSchema,
  /** Of them ended as they should: closed, fired, or collected where that is their normal end. */
  closed: countSchema,
  /** Collected by V8 while still open: dropped without a close. */
  collectedOpen: countSchema,
  /** The most that were alive at a time. */
  peak: countSchema,
  /** False: `live` is an estimate, of a group with `error` as its standard deviation. */
  exact: z.boolean(),
};

/** Resources of one kind made at one place. `docs/ledger.md` tells what each field means. */
export const ledgerGroupSchema = z
  .strictObject({
    /** The same for the same place after a restart, as long as its lines do not move. For `/diagnostics/groups/:id`. */
    id: z.string(),
    ...countedShape,
    /** One standard deviation of `live` where that is an estimate; 0 where every one was seen. */
    error: countSchema,
    /** First line of the application on the stack; null when there was none. */
    site: z.strictObject(siteShape).nullable(),
    /** Nest provider and module that were being made, where no line of the application was nearer than the bootstrap. */
    provider: z.string().optional(),
    /** Kind of the owner that opened these later; they stand under the line that made the owner. */
    via: z.string().optional(),
    /** `(other)`: what is beyond a bound of the ledger. `(unknown)`: its owner was opened before the ledger began. */
    overflow: z.string().optional(),
    /** Up to 8 calls on the way to it, innermost first. */
    stack: z.array(ledgerFrameSchema),
    /** Of what is alive and watched one by one; null when none is. */
    ageMs: z
      .strictObject({
        /** Mean age. */
        mean: msSchema,
        /** The highest age. */
        oldest: msSchema,
      })
      .nullable(),
    /** How long those lived that have closed, by 32 drawn at random; null while none has. */
    lifetimeMs: z
      .strictObject({
        /** Half of them lived no longer. */
        median: msSchema,
        /** 95 % of them lived no longer. */
        p95: msSchema,
      })
      .nullable(),
    /** Growth of `live` over the last 30 to 60 seconds; negative when it shrinks. */
    ratePerSecond: z.number(),
  })
  .meta({ id: 'LedgerGroup' });

/** What changed in a group over `deltaMs`. */
export const ledgerGroupDeltaSchema = z.strictObject({
  /** Change of `live`; negative when it fell. */
  live: z.int(),
  /** Opened meanwhile. */
  created: z.int(),
  /** Closed meanwhile. */
  closed: z.int(),
});

/** Totals of one kind; `created` is exact always. */
export const ledgerKindSchema = z.strictObject({
  ...countedShape,
  /** Groups that the kind has, whatever is alive of them. */
  groupsCount: countSchema,
});

/** What the ledger is, costs and could not do. */
export const ledgerStatusSchema = z.strictObject({
  /** Whether this process counts its resources. */
  running: z.boolean(),
  /** When it began to; null when it does not. */
  startedAt: replyInstantSchema.nullable(),
  /** What the process had run before; what was opened in it the ledger does not know. */
  startedLateMs: msSchema,
  /** Its processor time since it began, by its own clock. */
  costMs: z.strictObject({
    /** Taking stacks. */
    capture: msSchema,
    /** Its work once a second. */
    tick: msSchema,
  }),
  /** Share of one core in the last 5 s, counting included. */
  costShare: ratioSchema,
  /** Stacks taken since it began. */
  capturesCount: countSchema,
  /** Stacks of each kind that it allows itself now; fewer than its setting while it is over its budget. */
  capturesPerSecond: z.number().min(0),
  /** Estimate from what its tables hold. */
  memoryBytes: bytesSchema,
  /** Places that it knows, of all kinds. */
  groupsCount: countSchema,
  /** Resources that it watches one by one. */
  samplesCount: countSchema,
  /** Lines that it knows. */
  locationsCount: countSchema,
  /** Failures inside its own hooks; none of them reached the application. */
  failuresCount: countSchema,
  /** The last of them; null without any. */
  lastFailure: z.string().nullable(),
  /** Functions that it could not hook: what they open is not counted. */
  unhooked: z.array(z.string()),
});

/** Orders of groups: most alive, most made, growing fastest, oldest, most dropped without close. */
export const ledgerSortSchema = z.enum(['live', 'created', 'rate', 'age', 'collected']);

/** Which groups to list. */
export const ledgerGroupsQuerySchema = z.strictObject({
  /** Only this kind, or kinds below it: `socket` takes `socket.client`, too. */
  kind: z.string().min(1).max(64).optional(),
  /** Only groups with at least so many alive. */
  min: z.int().min(0).default(1),
  /** First the most alive (`live`), most opened (`created`), fastest growing (`rate`), oldest (`age`), most dropped without a close (`collected`). */
  sort: ledgerSortSchema.default('live'),
  /** How many groups at most. */
  limit: z.int().min(1).max(200).default(50),
});

/** What `GET /diagnostics/groups` and `diagnostics.groups` answer. */
export const ledgerGroupsSchema = z
  .strictObject({
    /** When the counts were read. */
    takenAt: replyInstantSchema,
    /** What the ledger is, costs and could not do. */
    ledger: ledgerStatusSchema,
    /** Totals of every kind, whatever was asked for; most alive first. */
    kinds: z.array(ledgerKindSchema),
    /** Groups that match, in the order asked for. */
    groups: z.array(
      ledgerGroupSchema.extend({
        /** What changed over `deltaMs`; only over HTTP, where `delta` was asked for. */
        delta: ledgerGroupDeltaSchema.optional(),
      }),
    ),
    /** Groups that match, shown or not. */
    totalCount: countSchema,
    /** Over what time `delta` of each group was taken; absent without one. */
    deltaMs: msSchema.optional(),
  })
  .meta({ id: 'LedgerGroups' });

export type LedgerGroups = z.output<typeof ledgerGroupsSchema>;
export type LedgerGroupsQuery = z.output<typeof ledgerGroupsQuerySchema>;
