/**
 * Compares a path with a pattern, segment by segment; `:name` stands for any one segment that is not empty.
 * @returns what stands in the place of the names, or null when it does not match
 */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const value = given[index]!;
    if (!segment.startsWith(':')) {
      if (segment !== value) return null;
    } else {
      const decoded = value === '' ? null : decodedSegment(value);
      if (decoded === null) return null;
      params[segment.slice(1)] = decoded;
    }
  }
  return params;
}

function decodedSegment(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
