import { Module } from '@nestjs/common';
import { AgentConnectionPool } from './agent-connection-pool.js';
import { AgentConnectionSweep } from './agent-connection-sweep.js';
import { AgentDirectory } from './agent-directory.js';
import { AgentKeys } from './agent-keys.js';
import { AgentListing } from './agent-listing.js';
import { AgentRecords } from './agent-records.js';
import { AgentTls } from './agent-tls.js';
import { AgentsController } from './agents.controller.js';
import { AgentsService } from './agents.service.js';

/** Who can execute: registration, lease, health, routing, and the one connection to each agent. */
@Module({
  controllers: [AgentsController],
  providers: [
    AgentKeys,
    AgentRecords,
    AgentDirectory,
    AgentListing,
    AgentTls,
    AgentConnectionPool,
    AgentConnectionSweep,
    AgentsService,
  ],
  exports: [AgentsService],
})
export class AgentsModule {}
