import type { TestingModule } from '@nestjs/testing';
import type { CommandError } from '../../src/contract/command-error.js';
import type { RedisClient } from '../../src/redis/redis-client.js';
import { RedisClock } from '../../src/redis/redis-clock.js';
import { RedisGate } from '../../src/redis/redis-gate.js';
import { eventually } from '../support/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { clientOf, redisApp } from './support.js';

const soon = () => Date.now() + 300;
const later = () => Date.now() + 20_000;

/** Timers of this process that are armed now. */
const timersCount = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

async function errorOf(promise: Promise<unknown>): Promise<CommandError> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: CommandError) => ({ error }),
  );
  if ('value' in outcome) throw new Error(`it did not fail but returned ${JSON.stringify(outcome.value)}`);
  return outcome.error;
}

describe('RedisGate', () => {
  let server: RedisServer;
  let app: TestingModule;
  let gate: RedisGate;
  let redis: RedisClient;
  let listenersAtRest: number;

  beforeEach(async () => {
    server = await RedisServer.start({ appendOnly: true, args: ['--appendfsync', 'always'] });
    app = await redisApp({ REDIS_URL: server.url });
    gate = app.get(RedisGate);
    redis = clientOf(app);
    await redis.ping();
    listenersAtRest = redis.listenerCount('ready');
  });

  afterEach(async () => {
    server.thaw();
    await app.close();
    await server.stop();
  });

  async function killed(): Promise<void> {
    await server.kill();
    await eventually(() => expect(redis.status).not.toBe('ready'));
  }

  async function back(): Promise<void> {
    await server.restart();
    await eventually(() => expect(redis.status).toBe('ready'));
    await redis.ping();
  }

  it('runs commands, pipelines and transactions while Redis is ready, and returns what they return', async () => {
    expect(await gate.run(later(), (client) => client.incr('a'))).toBe(1);
    expect(await gate.run(later(), (client) => client.pipeline().incr('a').get('a').exec())).toEqual([
      [null, 2],
      [null, '2'],
    ]);
    expect(await gate.run(later(), (client) => client.multi().incr('a').exec())).toEqual([[null, 3]]);
  });

  it('passes on an error that Redis itself answers with', async () => {
    await redis.set('text', 'x');
    const error = await errorOf(gate.run(later(), (client) => client.lpush('text', 1)));
    expect(error.message).toMatch(/^WRONGTYPE/);
    expect(error.code).toBeUndefined();
  });

  it('answers UNAVAILABLE when Redis is there but cannot take writes', async () => {
    await server.cli('CONFIG', 'SET', 'maxmemory', '1');
    expect(await errorOf(gate.run(later(), (client) => client.set('a', 1)))).toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
      message: 'Redis cannot serve this now (OOM)',
    });
    expect(await gate.run(later(), (client) => client.get('a'))).toBeNull();
  });

  it('answers UNAVAILABLE by the deadline while Redis is down, and the command does not run later', async () => {
    await killed();
    let calls = 0;
    const error = await errorOf(
      gate.run(soon(), (client) => {
        calls += 1;
        return client.incr('lost');
      }),
    );
    expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable: true, message: 'Redis is not reachable' });
    expect(calls).toBe(0);
    await back();
    expect(await redis.exists('lost')).toBe(0);
  });

  it('waits for a Redis that comes back before the deadline, and runs the command once', async () => {
    await killed();
    const reply = gate.run(later(), (client) => client.incr('kept'));
    await back();
    expect(await reply).toBe(1);
    expect(await redis.get('kept')).toBe('1');
  });

  it('refuses the next command of a work whose connection broke, instead of queueing it', async () => {
    const error = await errorOf(
      gate.run(later(), async (client) => {
        await client.set('first', 1);
        await killed();
        await client.set('second', 1);
      }),
    );
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: 'Redis is not reachable' });
    await back();
    expect(await redis.exists('first')).toBe(1);
    expect(await redis.exists('second')).toBe(0);
  });

  it.each(['pipeline', 'multi'] as const)('refuses a %s that was filled before the connection broke', async (kind) => {
    const error = await errorOf(
      gate.run(later(), async (client) => {
        const batch = client[kind]().set('batch', 1);
        await killed();
        return batch.exec();
      }),
    );
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: 'Redis is not reachable' });
    await back();
    expect(await redis.exists('batch')).toBe(0);
  });

  it('answers UNAVAILABLE by the deadline while Redis is frozen; the command that was sent may still take effect', async () => {
    server.freeze();
    const error = await errorOf(gate.run(soon(), (client) => client.incr('late')));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: 'Redis did not answer in time' });
    server.thaw();
    expect(await gate.run(later(), (client) => client.get('late'))).toBe('1');
  });

  it('hands nothing more to a Redis that hangs, and goes on as soon as it answers', async () => {
    server.freeze();
    expect(await errorOf(gate.run(soon(), (client) => client.incr('first')))).toMatchObject({ code: 'UNAVAILABLE' });
    let issuedCount = 0;
    const issue = (deadlineAt: number) =>
      gate.run(deadlineAt, (client) => {
        issuedCount++;
        return client.incr('later');
      });
    for (const outcome of await Promise.all(Array.from({ length: 50 }, () => errorOf(issue(soon()))))) {
      expect(outcome).toMatchObject({ code: 'UNAVAILABLE' });
    }
    expect(issuedCount).toBe(0);
    const patient = issue(later());
    server.thaw();
    expect(await patient).toBe(1);
    expect(await gate.run(later(), (client) => client.get('first'))).toBe('1');
    expect(redis.listenerCount('ready')).toBe(listenersAtRest);
  });

  it('goes on after a hanging Redis was replaced and its answers are lost', async () => {
    server.freeze();
    expect(await errorOf(gate.run(soon(), (client) => client.ping()))).toMatchObject({ code: 'UNAVAILABLE' });
    await killed();
    await back();
    expect(await gate.run(later(), (client) => client.ping())).toBe('PONG');
  });

  it('takes a command that is slow by itself for what it is while others are answered', async () => {
    const slow = errorOf(
      gate.run(soon(), async (client) => {
        await client.ping();
        await new Promise<void>((resolve) => setTimeout(resolve, 1_000));
      }),
    );
    const stopAt = Date.now() + 500;
    while (Date.now() < stopAt) expect(await gate.run(later(), (client) => client.ping())).toBe('PONG');
    expect(await slow).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await gate.run(later(), (client) => client.ping())).toBe('PONG');
  });

  it('takes a work that is slow by itself, though Redis answers each of its commands, for no silence', async () => {
    // No other work is to end meanwhile.
    await app.get(RedisClock).sync();
    let isOver = false;
    const slow = errorOf(
      gate.run(soon(), async (client) => {
        while (!isOver) await client.ping();
      }),
    );
    try {
      expect(await slow).toMatchObject({ code: 'UNAVAILABLE' });
      expect(await gate.run(later(), (client) => client.ping())).toBe('PONG');
    } finally {
      isOver = true;
    }
  });

  it('does not issue a command whose deadline has passed', async () => {
    let calls = 0;
    const error = await errorOf(
      gate.run(Date.now() - 1, async () => {
        calls += 1;
      }),
    );
    expect(error.code).toBe('UNAVAILABLE');
    expect(calls).toBe(0);
  });

  it('keeps one listener however many wait, and no listener or timer once they were answered', async () => {
    const listenersBefore = redis.listenerCount('ready');
    await killed();
    const timersBefore = timersCount();
    const waiting = Array.from({ length: 1_000 }, () => errorOf(gate.run(soon(), (client) => client.ping())));
    expect(redis.listenerCount('ready')).toBe(listenersBefore + 1);
    expect(new Set((await Promise.all(waiting)).map(({ code }) => code))).toEqual(new Set(['UNAVAILABLE']));
    expect(redis.listenerCount('ready')).toBe(listenersBefore);
    // ioredis' own pause before the next attempt may or may not be under way.
    expect(timersCount()).toBeLessThanOrEqual(timersBefore + 1);
    await back();
    const timersReady = timersCount();
    await Promise.all(Array.from({ length: 1_000 }, () => gate.run(later(), (client) => client.ping())));
    expect(timersCount()).toBeLessThanOrEqual(timersReady);
    expect(redis.listenerCount('ready')).toBe(listenersBefore);
  });

  it('wakes whoever waits when the app closes', async () => {
    await killed();
    const waiting = errorOf(gate.run(later(), (client) => client.ping()));
    await app.close();
    expect((await waiting).code).toBe('UNAVAILABLE');
    expect((await errorOf(gate.run(later(), (client) => client.ping()))).code).toBe('UNAVAILABLE');
  });
});
