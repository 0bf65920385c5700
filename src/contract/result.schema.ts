import { z } from 'zod';
import { idSchema, jsonSchema, pageSchema, pageShape, replyInstantSchema, requestSchema } from './common.schema.js';

/** The newest good value under a result key. */
export const resultSchema = z
  .strictObject({
    /** The `resultKey` of the runs that make it. */
    key: idSchema,
    /** What the handler answered; with `field` in the request, that part of it. */
    value: jsonSchema,
    /** Grows by one with each newer value. */
    version: z.int().min(1),
    /** The run that made it. */
    runId: idSchema,
    /** Due time of the run that made it (its creation for a run without a tick); a value of an older one never replaces it. */
    tickAt: replyInstantSchema,
    /** When that run ended. */
    storedAt: replyInstantSchema,
    /** Whether a newer run of this key failed since: the value is the last good one, not the last one. */
    stale: z.boolean(),
  })
  .meta({ id: 'Result' });
export type StoredResult = z.infer<typeof resultSchema>;

/** Requests and replies of `result.*`. */
export const resultCommands = {
  /** The newest good value of a key. Errors: NOT_FOUND (no such key, or the value has no such field), BROKEN_RECORD. */
  'result.get': {
    request: requestSchema({
      /** The `resultKey` of a schedule or submit. */
      key: idSchema,
      /** Dotted path into the value (`items.0.title`): only that part is answered. */
      field: z.string().min(1).max(256).optional(),
    }),
    reply: resultSchema,
  },
  /** What is known of each result, without the values, in the order of the keys. */
  'result.list': {
    request: requestSchema({ ...pageShape }),
    reply: pageSchema(resultSchema.omit({ value: true })).extend({
      /** Keys under which Redis holds what cannot be read, until the next good run replaces it; each counts towards `limit`. */
      broken: z
        .array(
          z.strictObject({
            /** Its key. */
            key: idSchema,
            /** What is wrong with the record. */
            why: z.string(),
          }),
        )
        .optional(),
    }),
  },
} as const;
