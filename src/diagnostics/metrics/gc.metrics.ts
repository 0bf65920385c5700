import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import { byLabel, type Metric } from './metric.js';

type Gc = DiagnosticsSection<'gc'>;

const kinds = { minor: 'minor', major: 'major', incremental: 'incremental', weakCallbacks: 'weak_callbacks' } as const;

function byKind(gc: Gc, figure: (kind: Gc['minor']) => number) {
  return byLabel(
    'kind',
    Object.fromEntries(Object.entries(kinds).map(([kind, label]) => [label, figure(gc[kind as keyof typeof kinds])])),
  );
}

/** Collections, in which the main thread stands still. */
export const gcMetrics: readonly Metric<Gc>[] = [
  {
    name: 'mu_gc_collections_total',
    help: 'Collections by kind.',
    type: 'counter',
    labelNames: ['kind'],
    values: (gc) => byKind(gc, ({ count }) => count),
  },
  {
    name: 'mu_gc_pause_seconds_total',
    help: 'Time in collections by kind.',
    type: 'counter',
    labelNames: ['kind'],
    values: (gc) => byKind(gc, ({ totalMs }) => totalMs / 1_000),
  },
];
