import type { DiagnosticsSource } from '../diagnostics-source.js';

/** What the application works at, added up over its sources. */
export class Activity {
  private readonly inFlight: readonly DiagnosticsSource[];
  private readonly work: readonly DiagnosticsSource[];

  constructor(sources: readonly DiagnosticsSource[]) {
    this.inFlight = sources.filter(({ inFlightCount }) => inFlightCount !== undefined);
    this.work = sources.filter(({ workCounts }) => workCounts !== undefined);
  }

  /** Pieces of work under way; null where nobody counts them. */
  inFlightCount(): number | null {
    if (this.inFlight.length === 0) return null;
    return this.inFlight.reduce((sum, source) => sum + source.inFlightCount!(), 0);
  }

  /** Pieces of work done since the start, by name. */
  workCounts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const source of this.work) {
      for (const [name, count] of Object.entries(source.workCounts!())) counts[name] = (counts[name] ?? 0) + count;
    }
    return counts;
  }
}
