import { z } from 'zod';

/** A value that JSON can carry. */
export type JsonValue = z.core.util.JSONType;

/**
 * A JSON value of any shape. Its size is bounded by the frame, its depth by the transport.
 *
 * Looked at in one pass, and handed on as it is: checking a payload costs less than parsing it did, however it is made
 * (`z.json()` tries six schemas on each value and copies all of it, 30 times the cost of the parsing).
 * A key `__proto__` is refused: whoever copies the value key by key would change the prototype of the copy.
 */
export const jsonSchema = z.custom<JsonValue>(isJson, 'must be a JSON value without a key __proto__');

/**
 * A map of few entries. More are refused before any of them is looked at, so that a map of ten thousand wrong ones costs
 * no ten thousand issues.
 */
export function smallRecord<Key extends z.core.$ZodRecordKey, Value extends z.core.SomeType>(
  key: Key,
  value: Value,
  maxCount: number,
) {
  const isSmall = (entries: unknown) =>
    typeof entries !== 'object' || entries === null || Object.keys(entries).length <= maxCount;
  const record = z.record(key, value);
  return z
    .custom<z.input<typeof record>>(isSmall, { error: `must have at most ${maxCount} entries`, abort: true })
    .meta({ ...z.toJSONSchema(record), maxProperties: maxCount, $schema: undefined })
    .pipe(record);
}

function isJson(value: unknown): value is JsonValue {
  const unseen: unknown[] = [value];
  while (unseen.length > 0) {
    const one = unseen.pop();
    switch (typeof one) {
      case 'string':
      case 'boolean':
        break;
      case 'number':
        if (!Number.isFinite(one)) return false;
        break;
      case 'object': {
        if (one === null) break;
        if (Array.isArray(one)) {
          for (const item of one) unseen.push(item);
          break;
        }
        const prototype: unknown = Object.getPrototypeOf(one);
        if (prototype !== Object.prototype && prototype !== null) return false;
        for (const key of Object.keys(one)) {
          if (key === '__proto__') return false;
          unseen.push((one as Record<string, unknown>)[key]);
        }
        break;
      }
      default:
        return false;
    }
  }
  return true;
}
