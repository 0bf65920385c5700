import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { INestApplication } from '@nestjs/common';
import { AgentsModule } from '../../src/agents/agents.module.js';
import { AgentsService } from '../../src/agents/agents.service.js';
import { ConfigModule } from '../../src/config/config.module.js';
import { readSettings } from '../../src/config/settings.js';
import { LifecycleModule } from '../../src/lifecycle/lifecycle.module.js';
import { RedisModule } from '../../src/redis/redis.module.js';
import { CommanderServer } from '../../src/transport/commander-server.js';
import { TransportModule } from '../../src/transport/transport.module.js';
import { eventually } from '../support/eventually.js';
import { TcpAgent } from '../support/fake-agent.js';
import { RedisServer } from '../support/redis-server.js';
import { attempt, executeRequest } from './replica.js';

let redis: RedisServer;
let app: INestApplication;
let port: number;

beforeAll(async () => {
  redis = await RedisServer.start();
  const settings = readSettings({
    REDIS_URL: redis.url,
    TCP_PORT: '0',
    COMMANDER_TOKEN: 'secret',
    AGENT_LEASE_MS: '6000',
    AGENT_HEARTBEAT_EVERY_MS: '100',
  });

  @Module({
    imports: [ConfigModule.forRoot(settings), LifecycleModule, RedisModule, TransportModule, AgentsModule],
  })
  class CommanderModule {}

  const module = await Test.createTestingModule({ imports: [CommanderModule] }).compile();
  app = module.createNestApplication({ logger: false });
  const server = app.get(CommanderServer);
  app.connectMicroservice({ strategy: server }, { inheritAppConfig: true });
  await app.startAllMicroservices();
  await app.init();
  port = server.address().port;
});
afterAll(async () => {
  await app.close();
  await redis.stop();
});

const acquire = () => app.get(AgentsService).acquire(attempt());

describe('an agent on the other side of the wire', () => {
  it('joins, keeps its lease by heartbeats, executes, joins again after Redis lost all, and leaves', async () => {
    const agent = await TcpAgent.start({ agentId: 'a' });
    await agent.join({ port, token: 'secret' });
    const place = await acquire();
    await expect(place.execute(executeRequest(), { deadlineAt: Date.now() + 5_000 })).resolves.toMatchObject({
      agentId: 'a',
    });
    await place.release('succeeded', 1);

    const score = async () => Number(await redis.cli('ZSCORE', '{commander}:agents:default', 'a'));
    const lease = await score();
    await eventually(async () => expect(await score()).toBeGreaterThan(lease + 1_000));

    await redis.cli('FLUSHALL');
    await eventually(async () => expect((await acquire()).agentId).toBe('a'));

    await agent.stop();
    await expect(acquire()).rejects.toMatchObject({ code: 'NO_AGENT' });
  });

  it('hears from its heartbeat which runs to abort', async () => {
    const agent = await TcpAgent.start({
      agentId: 'b',
      handler: (_request, { signal }) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve('ok'))),
    });
    await agent.join({ port, token: 'secret' });
    const place = await acquire();
    const call = place.execute(executeRequest('long'), { deadlineAt: Date.now() + 20_000 });
    await eventually(() => agent.activeCount === 1);
    await app.get(AgentsService).requestCancel('default', 'b', 'long');
    await expect(call).resolves.toBe('ok');
    await agent.stop();
  });

  it('is not let in with another token', async () => {
    const agent = await TcpAgent.start({ agentId: 'c' });
    await expect(agent.join({ port, token: 'wrong' })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(acquire()).rejects.toMatchObject({ code: 'NO_AGENT' });
    await agent.stop();
  });
});
