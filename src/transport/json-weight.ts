/**
 * What a JSON value costs V8 at most per piece, in bytes, on a 64-bit machine without compressed pointers: `{}` has four
 * slots that it may never use, a key and a number may each be an object of their own. A character counts twice: once in
 * the value, once in the text that is made of it for Redis or an agent.
 */
const COST = { object: 64, key: 48, array: 48, item: 24, character: 2 } as const;

/**
 * Bytes of heap that a value that came out of `JSON.parse` holds, estimated from above. Goes as deep as the value: call
 * it on values whose depth is bounded only.
 */
export function jsonWeightBytes(value: unknown): number {
  if (typeof value === 'string') return value.length * COST.character;
  if (typeof value !== 'object' || value === null) return 0;
  if (Array.isArray(value)) {
    let bytes: number = COST.array;
    for (const item of value) bytes += COST.item + jsonWeightBytes(item);
    return bytes;
  }
  let bytes: number = COST.object;
  for (const key of Object.keys(value)) {
    bytes +=
      COST.key + key.length * COST.character + COST.item + jsonWeightBytes((value as Record<string, unknown>)[key]);
  }
  return bytes;
}
