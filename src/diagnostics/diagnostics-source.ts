import type { Metric } from './metrics/metric.js';

/**
 * A section that a module of the application contributes. `read` may be asynchronous; it is raced against a deadline and
 * not called again while an earlier call has not settled. The answer has to be JSON: no secret, no key, no payload.
 */
export interface DiagnosticsSource<Reading = unknown> {
  /** Key under `sources`: a letter, then letters, digits or `-`, 64 at most. */
  readonly name: string;
  read(): Reading | Promise<Reading>;
  /** What `/metrics` takes from such an answer, one read per scrape. While it cannot be read they are absent. */
  readonly metrics?: readonly Metric<Reading>[];
  /** Pieces of work under way. The recorder adds up those of all sources. Answers at once. */
  inFlightCount?(): number;
}
