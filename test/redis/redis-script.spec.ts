import type { TestingModule } from '@nestjs/testing';
import { RedisGate } from '../../src/redis/redis-gate.js';
import { RedisKeys } from '../../src/redis/redis-keys.js';
import { RedisScript } from '../../src/redis/redis-script.js';
import { eventually } from '../support/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { clientOf, redisApp } from './support.js';

const add = new RedisScript<number>('test.add', "return redis.call('INCRBY', KEYS[1], ARGV[1])");
const broken = new RedisScript<number>('test.broken', "return redis.call('LPUSH', KEYS[1], 'x')");

describe('RedisScript', () => {
  let server: RedisServer;
  let app: TestingModule;

  beforeAll(async () => {
    server = await RedisServer.start({
      appendOnly: true,
      args: ['--slowlog-log-slower-than', '0', '--slowlog-max-len', '1000'],
    });
    app = await redisApp({ REDIS_URL: server.url, REDIS_KEYSPACE: 'here' });
  });

  afterAll(async () => {
    await app.close();
    await server.stop();
  });

  /** How often this command was run on this key, by Redis' own slow log with everything counted as slow. */
  const callsOn = async (key: string, command: string) => {
    const entries = (await clientOf(app).slowlog('GET', 1_000)) as [number, number, number, string[]][];
    return entries.filter(([, , , words]) => words[0].toLowerCase() === command && words[3] === key).length;
  };

  it('sends its text once, then only its hash', async () => {
    const redis = clientOf(app);
    for (let round = 1; round <= 5; round += 1) expect(await add.run(redis, ['n'], [2])).toBe(2 * round);
    expect(await callsOn('n', 'eval')).toBe(1);
    expect(await callsOn('n', 'evalsha')).toBe(5);
  });

  it('runs after SCRIPT FLUSH, exactly once', async () => {
    const redis = clientOf(app);
    await redis.set('flushed', 0);
    await add.run(redis, ['flushed'], [1]);
    await server.cli('SCRIPT', 'FLUSH');
    expect(await add.run(redis, ['flushed'], [1])).toBe(2);
  });

  it('runs after Redis was restarted, exactly once, through the gate', async () => {
    const redis = clientOf(app);
    await add.run(redis, ['restarted'], [1]);
    await server.restart();
    await eventually(() => expect(redis.status).toBe('ready'));
    expect(await app.get(RedisGate).run(Date.now() + 10_000, (client) => add.run(client, ['restarted'], [1]))).toBe(2);
  });

  it('passes on the error of the script', async () => {
    const redis = clientOf(app);
    await redis.set('text', 'x');
    await expect(broken.run(redis, ['text'], [])).rejects.toThrow(/WRONGTYPE/);
  });

  it('gets keys that share one hash slot', async () => {
    const keys = app.get(RedisKeys);
    expect(keys.key('run', 'a')).toBe('{here}:run:a');
    expect(keys.key()).toBe('{here}');
  });
});
