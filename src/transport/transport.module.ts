import { Module } from '@nestjs/common';
import { CommanderServer } from './commander-server.js';

/** The command server; `app.connectMicroservice({ strategy: app.get(CommanderServer) })` puts it to work. */
@Module({ providers: [CommanderServer], exports: [CommanderServer] })
export class TransportModule {}
