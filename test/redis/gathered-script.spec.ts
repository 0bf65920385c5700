import type { TestingModule } from '@nestjs/testing';
import { eachItemLua, GatheredScript } from '../../src/redis/gathered-script.js';
import { RedisGate } from '../../src/redis/redis-gate.js';
import { RedisServer } from '../support/redis-server.js';
import { clientOf, redisApp } from './support.js';

interface Item {
  key: string;
  by: number;
  text?: string;
}

const lua = `
redis.call('INCR', 'commands')
local function each(item)
  return { redis.call('INCRBY', item.key, item.by), ARGV[1], ARGV[3], item.text }
end
${eachItemLua()}`;

describe('GatheredScript', () => {
  let server: RedisServer;
  let app: TestingModule;
  let script: GatheredScript<Item, [number, string, string, string?]>;

  beforeAll(async () => {
    server = await RedisServer.start();
    app = await redisApp({ REDIS_URL: server.url, REDIS_KEYSPACE: 'here' });
    script = new GatheredScript(app.get(RedisGate), 'test.add', lua, 'due', () => ['prefix', 7]);
    await script.run({ key: 'warm', by: 1 });
  });

  afterAll(async () => {
    await app.close();
    await server.stop();
  });

  /** How many commands there were; each counts itself. */
  const commandCount = async () => Number(await clientOf(app).get('commands'));

  it('sends what is asked for in one turn as one command, and answers each', async () => {
    const before = await commandCount();
    const replies = await Promise.all([1, 2, 3].map((by) => script.run({ key: 'n', by, text: `"${by}"` })));
    expect(replies).toEqual([
      [1, 'prefix', '7', '"1"'],
      [3, 'prefix', '7', '"2"'],
      [6, 'prefix', '7', '"3"'],
    ]);
    expect(await commandCount()).toBe(before + 1);
  });

  it('gathers what follows from replies that came together', async () => {
    const before = await commandCount();
    await Promise.all(
      [1, 2, 3].map(async (by) => {
        await script.run({ key: 'n', by });
        await script.run({ key: 'n', by });
      }),
    );
    expect(await commandCount()).toBe(before + 2);
  });

  it('divides what is more than one command should do, by number and by length', async () => {
    let before = await commandCount();
    await Promise.all(Array.from({ length: 130 }, () => script.run({ key: 'many', by: 1 })));
    expect(await clientOf(app).get('many')).toBe('130');
    expect(await commandCount()).toBe(before + 3);
    before = await commandCount();
    const text = 'x'.repeat(150_000);
    const replies = await Promise.all([1, 2, 3].map(() => script.run({ key: 'long', by: 1, text })));
    expect(replies.map(([count, , , echoed]) => [count, echoed?.length])).toEqual([
      [1, 150_000],
      [2, 150_000],
      [3, 150_000],
    ]);
    expect(await commandCount()).toBe(before + 3);
  });

  it('fails the item that failed, and no other', async () => {
    await clientOf(app).set('text', 'not a number');
    const outcomes = await Promise.allSettled([
      script.run({ key: 'm', by: 1 }),
      script.run({ key: 'text', by: 1 }),
      script.run({ key: 'm', by: 1 }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await expect(script.run({ key: 'text', by: 1 })).rejects.toThrow(/test\.add: .*not an integer/);
    expect(await clientOf(app).get('m')).toBe('2');
  });

  it('tells whoever waits no longer than that by the deadline, and the others when Redis answers', async () => {
    server.freeze();
    const patient = script.run({ key: 'p', by: 1 });
    const startedAt = Date.now();
    const hasty = script.run({ key: 'p', by: 1 }, startedAt + 1_000);
    await expect(hasty).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('in time') });
    // It was told by its own deadline, not when the command is given up after ten seconds.
    await expect(script.run({ key: 'p', by: 1 }, Date.now() + 200)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(script.run({ key: 'p', by: 1 }, Date.now() - 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    server.thaw();
    expect((await patient)[0]).toBe(1);
    expect((await script.run({ key: 'q', by: 1 }, Date.now() + 10_000))[0]).toBe(1);
  }, 30_000);

  it('fails the item that Redis cannot read, and no other', async () => {
    const outcomes = await Promise.allSettled([
      script.run({ key: 'r', by: 1, text: 'a\nb},\n{' }),
      script.run({ key: 'r', by: 1, text: 'half a character: \ud800' }),
      script.run({ key: 'r', by: 1, text: 'a whole one: \ud83d\ude00' }),
    ]);
    expect(outcomes).toMatchObject([
      { value: [1, 'prefix', '7', 'a\nb},\n{'] },
      { reason: { message: expect.stringMatching(/test\.add: .*escape/) as string } },
      { value: [2, 'prefix', '7', 'a whole one: \ud83d\ude00'] },
    ]);
    expect(await clientOf(app).get('r')).toBe('2');
  });

  it('tells all of them that Redis is away', async () => {
    await server.kill();
    const outcomes = await Promise.allSettled([1, 2].map((by) => script.run({ key: 'away', by })));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'UNAVAILABLE' } });
    await server.restart();
  }, 30_000);
});
