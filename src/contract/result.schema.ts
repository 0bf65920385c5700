import { z } from 'zod';
import { idSchema, jsonSchema, pageSchema, pageShape, replyInstantSchema, requestSchema } from './common.schema.js';

/** The newest good value under a result key. */
export const resultSchema = z
  .strictObject({
    key: idSchema,
    value: jsonSchema,
    /** Grows by one with each newer value. */
    version: z.int().min(1),
    runId: idSchema,
    /** Due time of the run that made it (its creation for submitted runs); a value of an older one never replaces it. */
    tickAt: replyInstantSchema,
    storedAt: replyInstantSchema,
    /** Whether a newer run of this key failed since: the value is the last good one, not the last one. */
    stale: z.boolean(),
  })
  .meta({ id: 'Result' });
export type StoredResult = z.infer<typeof resultSchema>;

/** Requests and replies of `result.*`. */
export const resultCommands = {
  'result.get': {
    request: requestSchema({
      key: idSchema,
      /** Dotted path into the value (`items.0.title`): only that part is answered. */
      field: z.string().min(1).max(256).optional(),
    }),
    reply: resultSchema,
  },
  'result.list': {
    request: requestSchema({ ...pageShape }),
    /** In key order, without values. */
    reply: pageSchema(resultSchema.omit({ value: true })).extend({
      /** Keys under which Redis holds what cannot be read, until the next good run replaces it; each counts towards `limit`. */
      broken: z.array(z.strictObject({ key: idSchema, why: z.string() })).optional(),
    }),
  },
} as const;
