/** Whether arrays and objects in a parsed JSON value nest deeper than `maxDepth`; such a value breaks whoever recurses into it. */
export function isDeeperThan(value: unknown, maxDepth: number): boolean {
  let level: object[] = typeof value === 'object' && value !== null ? [value] : [];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === maxDepth) return true;
    const next: object[] = [];
    for (const container of level) {
      for (const child of Array.isArray(container) ? container : Object.values(container)) {
        if (typeof child === 'object' && child !== null) next.push(child as object);
      }
    }
    level = next;
  }
  return false;
}
