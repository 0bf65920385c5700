/** Public entry `mu-commander/standalone`: the diagnostics of a process without Nest. */
export type { DiagnosticsLog } from './diagnostics-log.js';
export type { DiagnosticsSource } from './diagnostics-source.js';
export type { Metric, MetricValue } from './metrics/metric.js';
export { WideBindError } from './http/wide-bind.error.js';
export {
  serveDiagnostics,
  type ServeDiagnosticsOptions,
  type ServedDiagnostics,
} from './standalone/serve-diagnostics.js';
