import { Module } from '@nestjs/common';
// eslint-disable-next-line no-restricted-imports -- an application of its own, with one client of its own
import { Redis } from 'ioredis';
import { CommanderAgentModule } from 'mu-commander/agent';
import { DiagnosticsModule } from 'mu-commander/diagnostics';
import { FixedCrawler } from './fixed-crawler.js';
import { LeakyCrawler } from './leaky-crawler.js';

const { COMMANDER_PORT, COMMANDER_TOKEN, AGENT_ID, REDIS_URL } = process.env;

/** An agent that crawls pages in two ways, and shows what it holds. */
@Module({
  imports: [
    CommanderAgentModule.forRoot({
      commander: { port: Number(COMMANDER_PORT), token: COMMANDER_TOKEN },
      agentId: AGENT_ID,
    }),
    DiagnosticsModule.forRoot(),
  ],
  providers: [
    // eslint-disable-next-line no-restricted-syntax -- the one client
    { provide: Redis, useFactory: () => new Redis(REDIS_URL!) },
    LeakyCrawler,
    FixedCrawler,
  ],
})
export class AgentModule {}
