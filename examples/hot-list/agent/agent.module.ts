import { Module } from '@nestjs/common';
import { CommanderAgentModule } from 'mu-commander/agent';
import { ListCrawler } from './list-crawler.js';

const { COMMANDER_HOST, COMMANDER_PORT, COMMANDER_TOKEN, AGENT_ID, CAPACITY } = process.env;

/** An agent that can crawl list pages. */
@Module({
  imports: [
    CommanderAgentModule.forRoot({
      commander: {
        host: COMMANDER_HOST,
        port: COMMANDER_PORT ? Number(COMMANDER_PORT) : undefined,
        token: COMMANDER_TOKEN,
      },
      agentId: AGENT_ID,
      capacity: CAPACITY ? Number(CAPACITY) : undefined,
      labels: { example: 'hot-list' },
    }),
  ],
  providers: [ListCrawler],
})
export class AgentModule {}
