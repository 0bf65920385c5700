/**
 * Orders ids for a key by rendezvous hashing: every replica gets the same order without talking to another, and an id
 * that leaves moves only the keys that had it first. The hash must never change: it decides where sticky runs go.
 */
export function rendezvousOrder(key: string, ids: readonly string[]): string[] {
  return ids
    .map((id) => ({ id, score: hash53(`${key}\u0000${id}`) }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id);
}

/** A whole number below `size` that is always the same for a text. */
export function bucketOf(text: string, size: number): number {
  return hash53(text) % size;
}

/** 53 well-mixed bits (cyrb53); no secret, only evenness is asked of it. */
function hash53(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}
