import type { LedgerKind, LedgerCounts } from '../../ledger/index.js';
import type { Metric, MetricValue } from './metric.js';

function byKind(figure: (kind: LedgerKind) => number | undefined) {
  return ({ kinds }: LedgerCounts): MetricValue[] =>
    kinds.flatMap((kind) => {
      const value = figure(kind);
      return value === undefined ? [] : [{ value, labels: { kind: kind.kind } }];
    });
}

/** Totals by kind: 128 kinds at most. */
export function ledgerKindMetrics(): readonly Metric<LedgerCounts>[] {
  const highest = new Map<string, number>();
  let startedAt: number | null = null;
  /** Where the living are estimated, so are the closed, and an estimate may fall: a counter must not. */
  const neverLess =
    (name: string, figure: (kind: LedgerKind) => number) =>
    (snapshot: LedgerCounts): MetricValue[] => {
      // Started anew it counts from zero.
      if (snapshot.ledger.startedAt !== startedAt) highest.clear();
      ({ startedAt } = snapshot.ledger);
      return byKind((kind) => {
        const key = `${name} ${kind.kind}`;
        const value = Math.max(highest.get(key) ?? 0, figure(kind));
        highest.set(key, value);
        return value;
      })(snapshot);
    };
  return [
    {
      name: 'mu_ledger_live',
      help: 'Resources alive by kind.',
      type: 'gauge',
      labelNames: ['kind'],
      values: byKind(({ live }) => live),
    },
    {
      name: 'mu_ledger_live_bytes',
      help: 'What they hold, for kinds that are measured in bytes (estimated).',
      type: 'gauge',
      labelNames: ['kind'],
      values: byKind(({ liveBytes }) => liveBytes),
    },
    {
      name: 'mu_ledger_created_total',
      help: 'Resources made by kind.',
      type: 'counter',
      labelNames: ['kind'],
      values: byKind(({ created }) => created),
    },
    {
      name: 'mu_ledger_closed_total',
      help: 'Resources closed by kind.',
      type: 'counter',
      labelNames: ['kind'],
      values: neverLess('closed', ({ closed }) => closed),
    },
    {
      name: 'mu_ledger_collected_open_total',
      help: 'Resources collected while still open, dropped without a close, by kind.',
      type: 'counter',
      labelNames: ['kind'],
      values: neverLess('collected', ({ collectedOpen }) => collectedOpen),
    },
  ];
}
