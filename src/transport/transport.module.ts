import { Module } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import { Access } from './access.js';
import { CommanderServer, TCP_TLS_OPTIONS } from './commander-server.js';
import { tcpTlsOptions } from './tcp-tls.js';
import { TcpTlsRenewal } from './tcp-tls-renewal.js';

/** The command server; `app.connectMicroservice({ strategy: app.get(CommanderServer) })` puts it to work. */
@Module({
  providers: [
    Access,
    CommanderServer,
    TcpTlsRenewal,
    { provide: TCP_TLS_OPTIONS, inject: [SETTINGS], useFactory: tcpTlsOptions },
  ],
  exports: [CommanderServer],
})
export class TransportModule {}
