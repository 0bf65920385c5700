/*
 * endpoint                  parameter  unit  cost
 * GET /metrics              –          –     one read of what is measured, O(groups); see docs/diagnostics.md
 * GET /diagnostics/metrics  –          –     the same
 *
 * Prometheus text. Every metric begins with `mu_` and ends with its unit (bytes, seconds, ratio); a counter with `_total`.
 */
import { z } from 'zod';
import type { DiagnosticsLog } from '../diagnostics-log.js';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import { endpoint, type Endpoint } from '../http/endpoint.js';
import type { MetricGroup } from './metric.js';
import { MetricsRegistry } from './metrics-registry.js';

/** What every part has to tell to Prometheus. */
export class MetricsPart implements DiagnosticsPart {
  readonly endpoints: readonly Endpoint[];

  /**
   * @param atRoot whether `/metrics` is ours, too: an application may have its own there
   * @throws Error for a name that is there twice or does not begin with `mu_`
   */
  constructor(groups: readonly MetricGroup[], atRoot: boolean, log: DiagnosticsLog) {
    const registry = new MetricsRegistry(groups, log);
    const paths = atRoot ? ['/metrics', '/diagnostics/metrics'] : ['/diagnostics/metrics'];
    this.endpoints = paths.map((path) =>
      endpoint({
        method: 'GET',
        path,
        summary: 'All figures for Prometheus.',
        query: z.strictObject({}),
        answers: { 'text/plain': null },
        answer: async () => ({ type: registry.contentType, body: await registry.text() }),
      }),
    );
  }
}
