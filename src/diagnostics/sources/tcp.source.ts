/*
 * sources.tcp: the command server of this replica.
 *
 * field          type  unit   source
 * tcpCount       int   count  CommanderServer.stats(): connections open now
 * tcpMaxCount    int   count  most connections that are accepted at once (MAX_CONNECTIONS)
 * acceptedCount  int   count  connections accepted since the start
 * refusedCount   int   count  connections closed at once since the start, because of the limit
 * commandsCount  int   count  commands received since the start
 */
import { Inject, Injectable } from '@nestjs/common';
import { CommanderServer } from '../../transport/commander-server.js';
import type { DiagnosticsSource } from '../diagnostics-source.js';

@Injectable()
export class TcpSource implements DiagnosticsSource {
  readonly name = 'tcp';

  constructor(@Inject(CommanderServer) private readonly server: Pick<CommanderServer, 'stats'>) {}

  read() {
    return this.server.stats();
  }
}
