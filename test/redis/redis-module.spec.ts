import { Inject, Injectable, Module } from '@nestjs/common';
import { Queue, Worker } from 'bullmq';
import { join } from 'node:path';
import { readSettings } from '../../src/config/settings.js';
import { engineConnection } from '../../src/redis/engine-connection.js';
import { REDIS, type RedisClient } from '../../src/redis/redis-client.js';
import { redisStatus } from '../../src/redis/redis-status.js';
import { RedisGate } from '../../src/redis/redis-gate.js';
import { ChildProgram } from '../lifecycle/child-program.js';
import { eventually } from '../support/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { clientOf, ourConnections, redisApp, redisAppWith } from './support.js';

@Injectable()
class FirstSharer {
  constructor(@Inject(REDIS) readonly redis: RedisClient) {}
}

@Injectable()
class SecondSharer {
  constructor(@Inject(REDIS) readonly redis: RedisClient) {}
}

@Module({ providers: [FirstSharer], exports: [FirstSharer] })
class FirstModule {}

@Module({ providers: [SecondSharer], exports: [SecondSharer] })
class SecondModule {}

describe('RedisModule', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await RedisServer.start();
  });

  afterAll(() => server.stop());

  it('gives everybody one client with one socket, named after this process', async () => {
    const app = await redisApp({ REDIS_URL: server.url }, FirstModule, SecondModule);
    try {
      const first = app.get(FirstSharer).redis;
      expect(app.get(SecondSharer).redis).toBe(first);
      expect(clientOf(app)).toBe(first);
      await Promise.all(Array.from({ length: 200 }, (_, index) => first.set(`k${index}`, index)));
      const connections = ourConnections(await server.cli('CLIENT', 'LIST'));
      expect(connections).toHaveLength(1);
      expect(connections[0]).toMatch(new RegExp(` name=commander:[\\w.-]+:${process.pid} `));
    } finally {
      await app.close();
    }
    await eventually(async () => expect(ourConnections(await server.cli('CLIENT', 'LIST'))).toHaveLength(0));
  });

  it('holds two sockets under load with a queue and a worker of BullMQ, and one after the worker closed', async () => {
    const app = await redisApp({ REDIS_URL: server.url });
    const connection = engineConnection(clientOf(app));
    // All but redis-cli, which asks; BullMQ names its duplicate in its own way.
    const socketsCount = async () =>
      (await server.cli('CLIENT', 'LIST')).split('\n').filter((line) => !/ cmd=client\|list /.test(line)).length;
    const done = new Set<string>();
    const queue = new Queue('budget', { connection });
    const worker = new Worker(
      'budget',
      async (job) => {
        done.add(job.id!);
      },
      { connection, concurrency: 20 },
    );
    try {
      await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
      const before = Number((await server.cli('INFO', 'stats')).match(/total_connections_received:(\d+)/)![1]);
      await queue.addBulk(Array.from({ length: 500 }, (_, index) => ({ name: 'job', data: { index } })));
      await eventually(() => expect(done.size).toBe(500), { timeoutMs: 20_000 });
      expect(await socketsCount()).toBe(2);
      const after = Number((await server.cli('INFO', 'stats')).match(/total_connections_received:(\d+)/)![1]);
      // Two redis-cli calls after the first reading, and nothing else dialled meanwhile.
      expect(after - before).toBe(2);
      await worker.close();
      await queue.close();
      await eventually(async () => expect(await socketsCount()).toBe(1));
      expect(await clientOf(app).ping()).toBe('PONG');
    } finally {
      await worker.close(true);
      await app.close();
    }
  });

  it('starts while Redis is down, and is ready once Redis is there', async () => {
    const late = await RedisServer.start();
    await late.kill();
    const app = await redisApp({ REDIS_URL: late.url });
    try {
      expect(redisStatus(clientOf(app))).not.toBe('ready');
      await late.restart();
      await eventually(() => expect(redisStatus(clientOf(app))).toBe('ready'));
      expect(await clientOf(app).ping()).toBe('PONG');
    } finally {
      await app.close();
      await late.stop();
    }
  });

  it('selects the database and gives the password that REDIS_URL names', async () => {
    const locked = await RedisServer.start({ password: 'p@ss word' });
    const app = await redisApp({ REDIS_URL: `${locked.url}/3` });
    try {
      await clientOf(app).set('where', 'three');
      expect(await locked.cli('-n', '3', 'GET', 'where')).toBe('three');
    } finally {
      await app.close();
      await locked.stop();
    }
  });

  it('gives up a Redis that owes an answer for too long, and connects again', async () => {
    const silent = await RedisServer.start();
    const settings = { ...readSettings({ REDIS_URL: silent.url }), redisSilenceTimeoutMs: 1_000 };
    const app = await redisAppWith(settings);
    try {
      const connectionId = () => clientOf(app).client('ID');
      const before = await connectionId();
      silent.freeze();
      const waiting = app.get(RedisGate).run(Date.now() + 30_000, (redis) => redis.incr('asked'));
      await eventually(() => expect(redisStatus(clientOf(app))).not.toBe('ready'));
      silent.thaw();
      // Sent again on the new connection: at least once, as RedisGate promises, and Redis had read the first one, too.
      expect(await waiting).toBeGreaterThanOrEqual(1);
      expect(await connectionId()).toBeGreaterThan(before);
    } finally {
      silent.thaw();
      await app.close();
      await silent.stop();
    }
  });

  it('logs a Redis that stays away once, not at every attempt, and says when it is back', async () => {
    const away = await RedisServer.start();
    await away.kill();
    const program = ChildProgram.start(join(__dirname, 'fixtures/disposal.cjs'), { REDIS_URL: away.url });
    try {
      await eventually(() => expect(program.output().match(/^redis reconnecting$/gm)?.length).toBeGreaterThan(4));
      expect(program.output().match(/ECONNREFUSED/g)).toHaveLength(1);
      await away.restart();
      await program.printedLine(/\[Redis\] reachable again/);
    } finally {
      await program.stop();
      await away.stop();
    }
  });
});
