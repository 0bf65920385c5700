/** Public entry `mu-commander/diagnostics`: the diagnostics page for any Nest application. */
export { diagnosticsSummarySchema, type DiagnosticsSummary } from '../contract/diagnostics.schema.js';
export type { DiagnosticsSource } from './diagnostics-source.js';
export { DiagnosticsModule } from './diagnostics.module.js';
export type { DiagnosticsOptions } from './diagnostics.options.js';
export { Diagnostics } from './diagnostics.js';
