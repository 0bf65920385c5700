import { eventually } from '../support/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { clientOf, ourConnections, redisApp } from './support.js';

/** ioredis by itself would wait for ten seconds before it looks again. */
const SOON_MS = 3_000;
const KEYS_COUNT = 3_000;

it('goes on soon after a server that restarted has loaded its data, however long that seemed to take', async () => {
  const slowly = ['--key-load-delay', '20000', '--loading-process-events-interval-bytes', '1024'];
  const server = await RedisServer.start({ args: slowly });
  const app = await redisApp({ REDIS_URL: server.url });
  let restarted: Promise<void> = Promise.resolve();
  try {
    const client = clientOf(app);
    const value = 'x'.repeat(500);
    await Promise.all(Array.from({ length: KEYS_COUNT }, (_, index) => client.set(`k${index}`, value)));
    await server.cli('SAVE');
    restarted = server.restart();
    restarted.catch(() => undefined);
    // It was told "loading, a minute to go", and waits.
    await eventually(async () => {
      expect(ourConnections(await server.cli('CLIENT', 'LIST')).join()).toContain(' cmd=info ');
    });
    expect(await server.cli('INFO', 'persistence')).toMatch(/loading:1[\s\S]*loading_eta_seconds:\d\d/);
    await server.cli('CONFIG', 'SET', 'key-load-delay', '0');
    await restarted;
    const answered = client.get('k1');
    answered.catch(() => undefined);
    await eventually(() => client.status === 'ready', { timeoutMs: SOON_MS, what: 'the client is ready' });
    expect(await answered).toBe(value);
  } finally {
    await app.close();
    await restarted.catch(() => undefined);
    await server.stop();
  }
}, 60_000);
