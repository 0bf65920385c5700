import { z } from 'zod';

/** Longest duration accepted anywhere: 366 days. Beyond it a number is a mistake, not a wish. */
export const MAX_DURATION_MS = 366 * 24 * 3_600_000;
/** Latest instant accepted anywhere: the end of the year 2100. */
export const MAX_INSTANT_MS = Date.UTC(2101, 0, 1) - 1;

/**
 * Identifier of a schedule, run, agent, result key, tag or job name: 1–128 of letters, digits, dot, underscore, hyphen and the at sign, the first
 * a letter or digit.
 */
export const idSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/,
    'must be 1–128 letters, digits, ".", "_", "-" or "@", starting with a letter or digit',
  );

/**
 * What a caller names one piece of work by, so that it is done once. Text with half of a character (a lone surrogate) is none that Redis could
 * read.
 */
export const idempotencyKeySchema = z
  .string()
  .min(1)
  .max(256)
  .refine((key) => !/\p{Surrogate}/u.test(key), 'must be whole characters: it has a lone surrogate');

/** Milliseconds, a positive whole number. */
export const durationMsSchema = z.int().min(1).max(MAX_DURATION_MS);

/** Milliseconds since the epoch on the wire; a request may also give an ISO 8601 string with a zone (`2026-03-29T02:30:00+02:00`). */
export const instantSchema = z.union([
  z.int().min(0).max(MAX_INSTANT_MS),
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
]);

/** Milliseconds since the epoch as replies carry it. */
export const replyInstantSchema = z.int();

export { jsonSchema, type JsonValue, smallRecord } from './json.schema.js';

/** Fields that every request may carry beside its own. */
export const envelopeShape = {
  /** ms the caller still waits, from the arrival of the request on. Default: COMMAND_TIMEOUT_MS. With `wait` it bounds the wait, not the run. */
  deadlineMs: z.int().min(1).max(600_000).optional(),
  /** Free text of the caller, repeated in log lines. */
  requestId: z.string().max(128).optional(),
  /** Schedules, runs, agents and results of one namespace never see those of another. */
  namespace: idSchema.default('default'),
} as const;

/** Defines a request: its own fields plus the envelope; unknown fields are refused. */
export function requestSchema<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject({ ...envelopeShape, ...shape });
}

/** Page fields shared by every `.list`. */
export const pageShape = {
  /** How many items at most. */
  limit: z.int().min(1).max(500).default(50),
  /** The `nextCursor` of the previous page, as it is; absent for the first. */
  cursor: z.string().max(512).optional(),
} as const;

/** Defines a page of items; `nextCursor` is absent on the last page. */
export function pageSchema<Item extends z.ZodType>(item: Item) {
  return z.strictObject({
    /** One page, in the order told above; it may hold fewer than `limit` and yet not be the last. */
    items: z.array(item),
    /** Given back as `cursor` it brings the next page; absent on the last one. */
    nextCursor: z.string().optional(),
  });
}
