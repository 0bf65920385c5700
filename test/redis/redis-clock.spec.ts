import type { TestingModule } from '@nestjs/testing';
import { RedisClock } from '../../src/redis/redis-clock.js';
import { eventually } from '../support/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { clientOf, redisApp } from './support.js';

/** Far more than a round trip on a busy machine, far less than the skews below. */
const toleranceMs = 1_000;

describe('RedisClock', () => {
  let server: RedisServer;
  let app: TestingModule | undefined;
  const realNow = Date.now.bind(Date);

  beforeEach(async () => {
    server = await RedisServer.start();
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await app?.close();
    app = undefined;
    await server.stop();
  });

  /** What a machine sees whose clock is off by this. */
  const skewClock = (skewMs: number) => jest.spyOn(Date, 'now').mockImplementation(() => realNow() + skewMs);

  it.each([90_000, -90_000])('tells the time of Redis on a machine whose clock is %d ms off', async (skewMs) => {
    app = await redisApp({ REDIS_URL: server.url });
    await clientOf(app).ping();
    skewClock(skewMs);
    const clock = app.get(RedisClock);
    // An answer that was held up tells the time less well: then it is asked again.
    await eventually(async () => {
      await clock.sync();
      const [seconds] = (await clientOf(app!).time()) as [unknown, unknown];
      expect(Math.abs(clock.now() - Number(seconds) * 1_000)).toBeLessThan(toleranceMs + 1_000);
      expect(Math.abs(clock.offsetMs + skewMs)).toBeLessThan(toleranceMs);
    });
  });

  it('measures by itself as soon as Redis is ready, and again after every reconnect', async () => {
    const spy = skewClock(60_000);
    app = await redisApp({ REDIS_URL: server.url });
    const clock = app.get(RedisClock);
    await eventually(() => expect(Math.abs(clock.offsetMs + 60_000)).toBeLessThan(toleranceMs));
    spy.mockImplementation(() => realNow() - 60_000);
    await server.restart();
    await eventually(() => expect(Math.abs(clock.offsetMs - 60_000)).toBeLessThan(toleranceMs));
  });

  it('is the clock of this machine until Redis was heard, and keeps the last estimate while Redis is away', async () => {
    await server.kill();
    app = await redisApp({ REDIS_URL: server.url });
    const clock = app.get(RedisClock);
    expect(clock.offsetMs).toBe(0);
    await clock.sync();
    expect(clock.offsetMs).toBe(0);
    skewClock(60_000);
    await server.restart();
    await eventually(() => expect(Math.abs(clock.offsetMs + 60_000)).toBeLessThan(toleranceMs));
    const estimate = clock.offsetMs;
    await server.kill();
    await clock.sync();
    expect(clock.offsetMs).toBe(estimate);
  });

  it('takes its listener away when the app closes', async () => {
    app = await redisApp({ REDIS_URL: server.url });
    const redis = clientOf(app);
    await redis.ping();
    const before = redis.listenerCount('ready');
    await app.close();
    expect(redis.listenerCount('ready')).toBe(before - 1);
    app = undefined;
  });
});
