import { errorCodes } from '../../contract/command-error.js';
import type { TransportStats } from '../../transport/transport-stats.js';
import { byLabel, counter, gauge, type Metric } from '../metrics/metric.js';

/** The command server: its connections against their bound, and what came over them. */
export const tcpMetrics: readonly Metric<TransportStats>[] = [
  gauge('mu_tcp_connections', 'Command connections open.', ({ tcpCount }) => tcpCount),
  gauge('mu_tcp_connections_limit', 'How many may be open at once.', ({ tcpMaxCount }) => tcpMaxCount),
  counter('mu_tcp_connections_refused_total', 'Closed at once because of that limit.', (stats) => stats.refusedCount),
  gauge('mu_commands_in_flight', 'Commands under way.', ({ inFlightCount }) => inFlightCount),
  counter('mu_commands_total', 'Commands received.', ({ commandsCount }) => commandsCount),
  {
    name: 'mu_command_errors_total',
    help: 'Commands answered with an error, by its code.',
    type: 'counter',
    labelNames: ['code'],
    // Every code from the start on: a rate is not told of a series that begins with its first error.
    values: ({ errorCounts }) =>
      byLabel('code', { ...Object.fromEntries(Object.keys(errorCodes).map((code) => [code, 0])), ...errorCounts }),
  },
];
