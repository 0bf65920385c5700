/*
 * sources.tcp: the command server of this replica, CommanderServer.stats(). Counts without "now" are since the start.
 *
 * field                  type  unit   source
 * tcpCount               int   count  connections open now
 * tcpMaxCount            int   count  how many may be open at once (MAX_CONNECTIONS)
 * acceptedCount          int   count  connections accepted
 * refusedCount           int   count  connections closed at once because of that limit
 * closedCounts.<reason>  int   count  connections that we closed
 * brokenCount            int   count  connections that broke
 * commandsCount          int   count  requests received
 * eventsDroppedCount     int   count  packets without an id, which nobody serves
 * errorCounts.<code>     int   count  requests answered with an error
 * inFlightCount          int   count  commands under way now
 * inFlightBytes          int   bytes  heap that requests under way are taken to hold, now
 * overdueHandlersCount   int   count  handlers that still run now although their deadline has passed
 * lateAnswersCount       int   count  answers that came after the deadline and were dropped
 * unreadLength           int   –      UTF-16 code units of requests that are incomplete or not served yet, now
 * unsentBytes            int   bytes  replies that the peers have not taken yet, now
 *
 * Cost: a few µs; memory of the process is read, nothing is asked.
 */
import { Inject, Injectable } from '@nestjs/common';
import { CommanderServer } from '../../transport/commander-server.js';
import type { TransportStats } from '../../transport/transport-stats.js';
import type { DiagnosticsSource } from '../diagnostics-source.js';
import { tcpMetrics } from './tcp.metrics.js';

@Injectable()
export class TcpSource implements DiagnosticsSource<TransportStats> {
  readonly name = 'tcp';
  readonly metrics = tcpMetrics;

  constructor(@Inject(CommanderServer) private readonly server: Pick<CommanderServer, 'stats'>) {}

  read(): TransportStats {
    return this.server.stats();
  }
}
