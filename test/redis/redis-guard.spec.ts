import type { TestingModule } from '@nestjs/testing';
import { Worker } from 'bullmq';
import { engineConnection } from '../../src/redis/engine-connection.js';
import { ownerOnlyMembers, type RedisClient } from '../../src/redis/redis-client.js';
import { RedisServer } from '../support/redis-server.js';
import { clientOf, redisApp } from './support.js';

/** The client with the members that its type leaves out. */
type Unguarded = Record<string, (...args: unknown[]) => unknown>;

describe('The guarded Redis client', () => {
  let server: RedisServer;
  let app: TestingModule;
  let redis: RedisClient;
  let unguarded: Unguarded;

  beforeAll(async () => {
    server = await RedisServer.start();
    app = await redisApp({ REDIS_URL: server.url });
    redis = clientOf(app);
    unguarded = redis as unknown as Unguarded;
    await redis.ping();
  });

  afterAll(async () => {
    await app.close();
    await server.stop();
  });

  // Whatever a test below tried to do to the connection: it is still there and still ours.
  afterEach(async () => {
    expect(redis.status).toBe('ready');
    expect(await redis.ping()).toBe('PONG');
  });

  it.each(ownerOnlyMembers.filter((member) => member !== 'stream' && member !== 'nodes'))(
    'refuses %s() with a clear error',
    (member) => {
      expect(() => unguarded[member]('x', 1)).toThrow(
        `RedisModule owns this connection: ${member}() would open, close or take it over`,
      );
    },
  );

  it('refuses the socket itself', () => {
    expect(() => unguarded.stream).toThrow(/RedisModule owns this connection/);
  });

  it.each(['quitBuffer', 'blpopBuffer', 'subscribeBuffer'])('refuses the variant %s()', (member) => {
    expect(() => unguarded[member]('x', 1)).toThrow(/RedisModule owns this connection/);
  });

  it.each([
    ['call', 'QUIT'],
    ['call', 'quit'],
    ['call', ['Quit']],
    ['callBuffer', 'quit'],
  ])('refuses %s(%j)', (member, command) => {
    expect(() => unguarded[member](command)).toThrow(/RedisModule owns this connection: quit\(\)/);
  });

  it('refuses the same in pipelines and transactions, however they are filled', () => {
    const refused = /RedisModule owns this connection/;
    for (const make of ['pipeline', 'multi']) {
      expect(() => (unguarded[make]() as Unguarded).quit()).toThrow(refused);
      expect(() => (unguarded[make]() as Unguarded).blpopBuffer('x', 0)).toThrow(refused);
      expect(() => (unguarded[make]() as Unguarded).call('quit')).toThrow(refused);
      expect(() => unguarded[make]([['set', 'a', 1], ['quit']])).toThrow(refused);
    }
  });

  it('refuses a transaction outside a pipeline: it would swallow the commands of everybody else', () => {
    expect(() => unguarded.multi({ pipeline: false })).toThrow(/RedisModule owns this connection/);
    expect(() => unguarded.multi(null, { pipeline: false })).toThrow(/RedisModule owns this connection/);
  });

  it('refuses to be changed', () => {
    expect(() => {
      unguarded.quit = () => undefined;
    }).toThrow(/RedisModule owns this connection/);
    expect(() => delete unguarded.get).toThrow(/RedisModule owns this connection/);
    expect(() => Object.defineProperty(redis, 'get', { value: 1 })).toThrow(/RedisModule owns this connection/);
  });

  it('does not leak the client behind it: chained calls of the emitter return the guarded one', () => {
    const listener = () => undefined;
    expect(redis.on('ready', listener)).toBe(redis);
    expect(redis.off('ready', listener)).toBe(redis);
  });

  it('runs commands, by name and by call()', async () => {
    expect(await redis.set('guard:a', '1')).toBe('OK');
    expect(await redis.get('guard:a')).toBe('1');
    expect(await redis.getBuffer('guard:a')).toEqual(Buffer.from('1'));
    expect(await redis.call('GET', 'guard:a')).toBe('1');
    expect(await redis.hset('guard:h', { x: 1, y: 2 })).toBe(2);
    expect(await redis.hgetall('guard:h')).toEqual({ x: '1', y: '2' });
  });

  it('runs pipelines and transactions, chained and as a list', async () => {
    expect(await redis.pipeline().set('guard:p', 1).incr('guard:p').call('GET', 'guard:p').exec()).toEqual([
      [null, 'OK'],
      [null, 2],
      [null, '2'],
    ]);
    expect(await redis.multi().set('guard:t', 1).incr('guard:t').exec()).toEqual([
      [null, 'OK'],
      [null, 2],
    ]);
    const list = [
      ['set', 'guard:l', 5],
      ['decr', 'guard:l'],
    ];
    const listed = [
      [null, 'OK'],
      [null, 4],
    ];
    expect(await redis.pipeline(list).exec()).toEqual(listed);
    expect(await redis.multi(list).exec()).toEqual(listed);
  });

  it('scans with a stream', async () => {
    await redis.mset('guard:s1', 1, 'guard:s2', 2);
    const found: string[] = [];
    for await (const keys of redis.scanStream({ match: 'guard:s?' })) found.push(...(keys as string[]));
    expect(found.sort()).toEqual(['guard:s1', 'guard:s2']);
  });

  it('hands out the same function for a member at every access', () => {
    const members = redis as unknown as Record<string, unknown>;
    expect(members.get).toBe(members.get);
    expect(members.quit).toBe(members.quit);
  });

  it('makes a BullMQ worker that got it fail at once, and engineConnection() opens the way', async () => {
    const processor = async () => undefined;
    expect(() => new Worker('guard', processor, { connection: redis as never })).toThrow(
      /RedisModule owns this connection: duplicate\(\)/,
    );
    const worker = new Worker('guard', processor, { connection: engineConnection(redis) });
    await worker.waitUntilReady();
    await worker.close();
  });

  it('engineConnection() knows this client only', () => {
    expect(() => engineConnection({} as RedisClient)).toThrow('not the client that RedisModule injects');
  });
});
