/**
 * Whether a value that came out of `JSON.parse` is nested deeper than `maxDepth`; `{}` and `[]` are one deep.
 * Looks at every container once and goes no deeper than `maxDepth`, so neither its time nor its stack can run away.
 */
export function isDeeperThan(value: unknown, maxDepth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (maxDepth === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (isDeeperThan(item, maxDepth - 1)) return true;
    return false;
  }
  for (const key of Object.keys(value)) {
    if (isDeeperThan((value as Record<string, unknown>)[key], maxDepth - 1)) return true;
  }
  return false;
}
