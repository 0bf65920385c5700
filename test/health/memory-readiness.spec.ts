import { BuiltApp } from '../support/built-app';
import { eventually } from '../support/eventually';
import { httpGet } from '../support/http-get';
import { RedisServer } from '../support/redis-server';

jest.setTimeout(90_000);

describe('memory over the soft limit', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.stop());

  // The heap of an idle service is about half of this.
  const start = (softLimitRatio: string): Promise<BuiltApp> =>
    BuiltApp.start({
      redisUrl: redis.url,
      nodeArgs: ['--max-old-space-size=64', '--max-semi-space-size=2'],
      env: { MEMORY_SOFT_LIMIT_RATIO: softLimitRatio, RECORDER_INTERVAL_MS: '1000' },
    });

  it('takes the replica out of service, and leaves it alive', async () => {
    const app = await start('0.3');
    try {
      await eventually(
        async () => {
          const read = await httpGet(`${app.httpUrl}/readyz`);
          expect(read.status).toBe(503);
          // A heap so full makes PINGs late, too, and is then not the first reason.
          expect(read.json().checks.memory).toEqual({
            status: 'down',
            message: 'memory is close to the V8 heap limit',
          });
        },
        { timeoutMs: 40_000, intervalMs: 500 },
      );
      expect((await httpGet(`${app.httpUrl}/livez`)).status).toBe(200);
    } finally {
      await app.stop();
    }
  });

  it('a replica with room serves', async () => {
    const app = await start('0.95');
    try {
      await eventually(async () => expect((await httpGet(`${app.httpUrl}/readyz`)).status).toBe(200));
      expect((await httpGet(`${app.httpUrl}/readyz`)).json().checks.memory).toEqual({ status: 'up' });
    } finally {
      await app.stop();
    }
  });
});
