import type { TestingModule } from '@nestjs/testing';
import { Queue, Worker } from 'bullmq';
import { SettingsError } from '../../src/config/settings.js';
import { engineConnection } from '../../src/redis/engine-connection.js';
import { RedisClock } from '../../src/redis/redis-clock.js';
import { RedisGate } from '../../src/redis/redis-gate.js';
import { RedisKeys } from '../../src/redis/redis-keys.js';
import { RedisScript } from '../../src/redis/redis-script.js';
import { Certificates } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { RedisSentinelPair } from '../support/redis-sentinel-pair.js';
import { RedisServer } from '../support/redis-server.js';
import { clientOf, ourConnections, redisApp } from './support.js';

const later = () => Date.now() + 20_000;
const add = new RedisScript<number>('test.add', "return redis.call('INCRBY', KEYS[1], ARGV[1])");

jest.setTimeout(90_000);

/** What every part of commander does with Redis, whatever stands behind it. */
async function everythingWorks(app: TestingModule): Promise<void> {
  const gate = app.get(RedisGate);
  const keys = app.get(RedisKeys);
  const counter = keys.key('counter');
  await gate.run(later(), (redis) => redis.set(counter, 1));
  expect(await gate.run(later(), (redis) => redis.multi().incr(counter).get(counter).exec())).toEqual([
    [null, 2],
    [null, '2'],
  ]);
  expect(await gate.run(later(), (redis) => add.run(redis, [counter], [5]))).toBe(7);
  await eventually(async () => {
    await app.get(RedisClock).sync();
    expect(Math.abs(app.get(RedisClock).offsetMs)).toBeLessThan(1_000);
  });

  const connection = engineConnection(clientOf(app));
  const done = new Set<string>();
  const queue = new Queue('topology', { connection, prefix: keys.key('queue') });
  const worker = new Worker(
    'topology',
    async (job) => {
      done.add(job.id!);
    },
    { connection, prefix: keys.key('queue') },
  );
  try {
    await queue.addBulk(Array.from({ length: 20 }, (_, index) => ({ name: 'job', data: { index } })));
    await eventually(() => expect(done.size).toBe(20), { timeoutMs: 20_000 });
  } finally {
    await worker.close();
    await queue.close();
  }
}

describe('RedisModule by configuration', () => {
  const opened: { stop(): Promise<unknown> }[] = [];

  afterEach(async () => {
    for (const thing of opened.splice(0).reverse()) await thing.stop();
  });

  async function server(options: Parameters<typeof RedisServer.start>[0] = {}): Promise<RedisServer> {
    const started = await RedisServer.start(options);
    opened.push(started);
    return started;
  }

  async function app(environment: Record<string, string>): Promise<TestingModule> {
    const started = await redisApp(environment);
    opened.push({ stop: () => started.close() });
    return started;
  }

  it('standalone', async () => {
    await everythingWorks(await app({ REDIS_URL: (await server()).url }));
  });

  it('sentinel: finds the master, and the new one after a failover', async () => {
    const pair = await RedisSentinelPair.start({ password: 'secret' });
    opened.push(pair);
    const { master, replica, sentinel } = pair;
    const started = await app(pair.env);
    await everythingWorks(started);
    expect(ourConnections(await master.cli('CLIENT', 'LIST'))).toHaveLength(1);
    expect(ourConnections(await replica.cli('CLIENT', 'LIST'))).toHaveLength(0);
    expect(ourConnections(await sentinel.cli('CLIENT', 'LIST'))).toHaveLength(0);

    await pair.replicated();
    await pair.failOver();
    const key = started.get(RedisKeys).key('after-failover');
    expect(await started.get(RedisGate).run(later(), (redis) => redis.incr(key))).toBe(1);
    expect(await replica.cli('GET', key)).toBe('1');
  });

  it('sentinel: a start with all sentinels down does not fail, and finds the master once one is up', async () => {
    const master = await server();
    const sentinel = await server({ sentinel: [`sentinel monitor main 127.0.0.1 ${master.port} 1`] });
    await sentinel.kill();
    const started = await app({
      REDIS_MODE: 'sentinel',
      REDIS_NODES: `127.0.0.1:${sentinel.port}`,
      REDIS_SENTINEL_NAME: 'main',
    });
    expect(clientOf(started).status).not.toBe('ready');
    await sentinel.restart();
    expect(await started.get(RedisGate).run(later(), (redis) => redis.ping())).toBe('PONG');
  });

  it('cluster: all keys in one slot, on whichever of three nodes has it', async () => {
    const cluster = await RedisCluster.start();
    opened.push(cluster);
    const { nodes } = cluster;
    const started = await app(cluster.env);
    await everythingWorks(started);
    const sizes = await Promise.all(nodes.map(async (node) => Number(await node.cli('DBSIZE'))));
    expect(sizes.filter((size) => size > 0)).toHaveLength(1);
    const redis = clientOf(started) as unknown as { nodes(): unknown };
    expect(() => redis.nodes()).toThrow(/RedisModule owns this connection/);

    const owner = nodes[sizes.findIndex((size) => size > 0)];
    owner.freeze();
    const refused = started.get(RedisGate).run(Date.now() + 500, (client) => client.incr('{commander}:frozen'));
    await expect(refused).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await started.close();
    owner.thaw();
  });

  describe('TLS', () => {
    let certificates: Certificates;
    let secured: RedisServer;

    beforeAll(async () => {
      certificates = await Certificates.create();
      const { certFile, keyFile, caFile } = certificates;
      secured = await RedisServer.start({ tls: { certFile, keyFile, caFile } });
    });

    afterAll(async () => {
      await secured.stop();
      await certificates.remove();
    });

    it('connects to a server whose certificate the given CA signed', async () => {
      const started = await app({ REDIS_URL: secured.url, REDIS_TLS_CA_FILE: certificates.caFile });
      await everythingWorks(started);
    });

    it('does not connect to a server whose certificate nobody vouches for', async () => {
      const started = await app({ REDIS_URL: secured.url });
      const answer = started.get(RedisGate).run(Date.now() + 1_000, (redis) => redis.ping());
      await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });

    it('shows a client certificate to a server that asks for one', async () => {
      await secured.cli('CONFIG', 'SET', 'tls-auth-clients', 'yes');
      try {
        const files = {
          REDIS_TLS_CA_FILE: certificates.caFile,
          REDIS_TLS_CERT_FILE: certificates.certFile,
          REDIS_TLS_KEY_FILE: certificates.keyFile,
        };
        const known = await app({ REDIS_URL: secured.url, ...files });
        expect(await known.get(RedisGate).run(later(), (redis) => redis.ping())).toBe('PONG');
        const unknown = await app({ REDIS_URL: secured.url, REDIS_TLS_CA_FILE: certificates.caFile });
        const answer = unknown.get(RedisGate).run(Date.now() + 1_000, (redis) => redis.ping());
        await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE' });
        await known.get(RedisGate).run(later(), (redis) => redis.config('SET', 'tls-auth-clients', 'no'));
      } finally {
        await Promise.all(opened.splice(0).map((thing) => thing.stop()));
      }
    });

    it('refuses to start on a file that is not there, and names the variable', async () => {
      const start = redisApp({ REDIS_URL: secured.url, REDIS_TLS_CA_FILE: '/nowhere/ca.pem' });
      await expect(start).rejects.toThrow(SettingsError);
      await expect(start).rejects.toThrow(/^REDIS_TLS_CA_FILE="\/nowhere\/ca.pem": expected the path of a PEM file/);
    });
  });
});
