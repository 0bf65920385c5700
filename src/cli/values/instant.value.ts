import { instantSchema } from '../../contract/common.schema.js';
import { UsageError } from '../usage.error.js';
import { readDuration } from './duration.value.js';

/** Reads ISO 8601 with a zone, or ms since the epoch, as ms since the epoch. */
export function readInstant(text: string): number {
  const parsed = instantSchema.safeParse(/^\d+$/.test(text) ? Number(text) : text);
  if (parsed.success) return parsed.data;
  throw new UsageError(
    `${JSON.stringify(text)} is no instant: expected ISO 8601 with a zone (2026-03-29T02:30:00Z) or ms since the epoch`,
  );
}

/** Reads an instant, or how long ago it was: `1h`. */
export function readSince(text: string): number {
  return /^[\d.]+[a-z]+$/.test(text) ? Date.now() - readDuration(text) : readInstant(text);
}
