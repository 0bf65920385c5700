import { Module } from '@nestjs/common';
import { CommanderAgentModule } from 'mu-commander/agent';
import { ListCrawler } from './list-crawler.js';

const { COMMANDER_HOST, COMMANDER_PORT, COMMANDER_TOKEN, AGENT_TOKEN, AGENT_ID, CAPACITY } = process.env;
const { LISTEN_HOST, LISTEN_PORT, ADVERTISE_HOST } = process.env;

/** An agent that can crawl list pages. */
@Module({
  imports: [
    CommanderAgentModule.forRoot({
      commander: {
        host: COMMANDER_HOST,
        port: COMMANDER_PORT ? Number(COMMANDER_PORT) : undefined,
        token: COMMANDER_TOKEN,
      },
      agentToken: AGENT_TOKEN,
      // On another host than commander's: where it listens, and where commander finds it.
      listenHost: LISTEN_HOST,
      listenPort: LISTEN_PORT ? Number(LISTEN_PORT) : undefined,
      advertiseHost: ADVERTISE_HOST,
      agentId: AGENT_ID,
      capacity: CAPACITY ? Number(CAPACITY) : undefined,
      labels: { example: 'hot-list' },
    }),
  ],
  providers: [ListCrawler],
})
export class AgentModule {}
