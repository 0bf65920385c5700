import type { DiagnosticsSource } from '../diagnostics-source.js';

/** Adds up what the sources say is under way; null where none of them says so. */
export function inFlightSum(sources: readonly DiagnosticsSource[]): () => number | null {
  const counting = sources.filter(({ inFlightCount }) => inFlightCount !== undefined);
  if (counting.length === 0) return () => null;
  return () => counting.reduce((sum, source) => sum + source.inFlightCount!(), 0);
}
