import { MAX_DURATION_MS } from '../../contract/common.schema.js';
import { UsageError } from '../usage.error.js';

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads `500ms`, `1.5s`, `30s`, `5m`, `1h`, `2d` as ms. A bare number is refused: nobody could tell seconds from milliseconds. */
export function readDuration(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const ms = amount === undefined ? NaN : Math.round(Number(amount) * UNITS_MS[unit]);
  if (!(ms >= 1 && ms <= MAX_DURATION_MS)) {
    throw new UsageError(`${JSON.stringify(text)} is no duration: expected 500ms, 30s, 5m, 1h or 2d, at most 366d`);
  }
  return ms;
}
