/** Public entry `mu-commander/diagnostics`: the diagnostics page for any Nest application. */
export { diagnosticsSummarySchema, type DiagnosticsSummary } from '../contract/diagnostics.schema.js';
export type { DiagnosticsSource } from './diagnostics-source.js';
export type { Metric, MetricValue } from './metrics/metric.js';
export { DiagnosticsModule } from './diagnostics.module.js';
export type {
  DiagnosticsOptions,
  DiagnosticsOptionsFactory,
  DiagnosticsParts,
  DiagnosticsSettings,
} from './diagnostics.options.js';
export { Diagnostics } from './diagnostics.js';
export { WideBindError } from './http/wide-bind.error.js';
