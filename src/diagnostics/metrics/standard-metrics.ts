import type { DiagnosticsSection, DiagnosticsSectionName } from '../../contract/diagnostics.schema.js';
import { ledgerCounts, type LedgerCounts } from '../../ledger/index.js';
import { eventLoopMetrics } from './event-loop.metrics.js';
import { fdMetrics } from './fds.metrics.js';
import { gcMetrics } from './gc.metrics.js';
import { heapMetrics } from './heap.metrics.js';
import { ledgerCostMetrics } from './ledger-cost.metrics.js';
import { ledgerGroupMetrics, type SitesReading, topSites } from './ledger-groups.metrics.js';
import { ledgerKindMetrics } from './ledger-kinds.metrics.js';
import { memoryMetrics } from './memory.metrics.js';
import { type MetricGroup, metricGroup } from './metric.js';
import { processMetrics } from './process.metrics.js';

/** Reads one section of the summary. @throws whatever the measurement throws */
export type ReadSection = <Name extends DiagnosticsSectionName>(name: Name) => DiagnosticsSection<Name>;

/** What every process has: from the same measurements as the summary, and from the ledger. */
export function standardMetrics(section: ReadSection): readonly MetricGroup[] {
  return [
    metricGroup({
      name: 'process',
      read: () => ({ process: section('process'), cpu: section('cpu') }),
      metrics: processMetrics,
    }),
    metricGroup({
      name: 'memory',
      read: () => ({ memory: section('memory'), heap: section('heap') }),
      metrics: memoryMetrics,
    }),
    metricGroup({
      name: 'heap',
      read: () => ({ heap: section('heap'), heapSpaces: section('heapSpaces') }),
      metrics: heapMetrics,
    }),
    metricGroup({ name: 'gc', read: () => section('gc'), metrics: gcMetrics }),
    metricGroup({
      name: 'event loop',
      read: () => ({ delay: section('eventLoopDelay'), utilization: section('eventLoopUtilization') }),
      metrics: eventLoopMetrics,
    }),
    metricGroup({ name: 'fds', read: () => section('openFds'), metrics: fdMetrics }),
    metricGroup<LedgerCounts & SitesReading>({
      name: 'ledger',
      read: async () => {
        const snapshot = await ledgerCounts();
        return { ...snapshot, sites: topSites(snapshot.groups) };
      },
      metrics: [...ledgerKindMetrics(), ...ledgerGroupMetrics, ...ledgerCostMetrics],
    }),
  ];
}
