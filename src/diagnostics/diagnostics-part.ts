import type { Endpoint } from './http/endpoint.js';
import type { MetricGroup } from './metrics/metric.js';

/**
 * One subject of the diagnostics (the summary, the groups, the profiles, …): what it serves over HTTP, and what it has to
 * run in between. Plain objects, so that they serve with and without Nest.
 */
export interface DiagnosticsPart {
  readonly endpoints: readonly Endpoint[];
  /** What it adds to `/metrics`. */
  readonly metrics?: readonly MetricGroup[];
  start?(): void;
  /** Gives back what `start` took; may be called without it. Bounded in time: the shutdown waits for it. */
  stop?(): void | Promise<void>;
}
