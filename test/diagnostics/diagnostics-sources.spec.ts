import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Queue } from 'bullmq';
import { diagnosticsSummarySchema } from '../../src/contract/diagnostics.schema';
import { Diagnostics, DiagnosticsModule, type DiagnosticsSource } from '../../src/diagnostics/index';
import { SOURCE_MAX_BYTES, SOURCE_TIMEOUT_MS } from '../../src/diagnostics/summary/source-reader';
import { RecorderMeasurement } from '../../src/diagnostics/measurements/recorder.measurement';
import { SummaryPart } from '../../src/diagnostics/summary/summary.part';
import { InFlightSource } from '../../src/diagnostics/sources/in-flight.source';
import { QueuesSource } from '../../src/diagnostics/sources/queues.source';
import { RedisClock } from '../../src/redis/redis-clock';
import { RedisSource } from '../../src/diagnostics/sources/redis.source';
import { InFlight } from '../../src/lifecycle/in-flight';
import { LifecycleModule } from '../../src/lifecycle/lifecycle.module';
import { engineConnection } from '../../src/redis/engine-connection';
import { REDIS, type RedisClient } from '../../src/redis/redis-client';
import { redisStatus } from '../../src/redis/redis-status';
import { clientOf, redisApp } from '../redis/support';
import { eventually } from '../support/eventually';
import { httpGet } from '../support/http-get';
import { RedisServer } from '../support/redis-server';
import { DiagnosticsApp } from './support/diagnostics-app';
import { aRecorder } from './support/a-recorder';

const silent = { info: () => undefined, warn: () => undefined };
const SECRET = 'redis://user:hunter2@10.0.0.1:6379';

async function read(...sources: DiagnosticsSource[]) {
  const served = await DiagnosticsApp.start({ sources });
  try {
    const answer = await httpGet(served.url('/diagnostics'));
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain('hunter2');
    return diagnosticsSummarySchema.parse(answer.json());
  } finally {
    await served.app.close();
  }
}

describe('a source', () => {
  it('is shown, whether it answers at once or later', async () => {
    const { sources } = await read(
      { name: 'now', read: () => ({ itemsCount: 1 }) },
      { name: 'later', read: async () => ['a', { b: null }] },
      { name: 'nothing', read: () => undefined },
    );
    expect(sources).toEqual({ now: { itemsCount: 1 }, later: ['a', { b: null }], nothing: null });
  });

  it('that fails is an error in its own place, and nowhere else', async () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    const { sources, heap } = await read(
      {
        name: 'throws',
        read: () => {
          throw new TypeError(`cannot reach ${SECRET}`);
        },
      },
      {
        name: 'rejects',
        read: async () => {
          throw Object.assign(new Error(SECRET), { code: 'ECONNREFUSED' });
        },
      },
      {
        name: 'throws-text',
        read: () => {
          throw SECRET;
        },
      },
      {
        name: 'bad-code',
        read: () => {
          throw Object.assign(new Error('x'), { code: SECRET, name: SECRET });
        },
      },
      { name: 'big-integer', read: () => ({ value: 1n }) },
      { name: 'cycle', read: () => cycle },
      { name: 'too-long', read: () => 'x'.repeat(SOURCE_MAX_BYTES) },
      { name: 'fits', read: () => 'x'.repeat(SOURCE_MAX_BYTES - 2) },
    );
    expect(sources).toEqual({
      throws: { error: 'TypeError' },
      rejects: { error: 'Error (ECONNREFUSED)' },
      'throws-text': { error: 'failed' },
      'bad-code': { error: 'Error' },
      'big-integer': { error: 'TypeError' },
      cycle: { error: 'TypeError' },
      'too-long': { error: `answer of ${SOURCE_MAX_BYTES + 2} bytes; at most ${SOURCE_MAX_BYTES} are shown` },
      fits: 'x'.repeat(SOURCE_MAX_BYTES - 2),
    });
    expect(heap).toHaveProperty('usedBytes');
  });

  it('that hangs is given up after the deadline and not called again until it has answered', async () => {
    let calls = 0;
    let answer!: (value: unknown) => void;
    const served = await DiagnosticsApp.start({
      sources: [{ name: 'slow', read: () => (calls++, new Promise((resolve) => (answer = resolve))) }],
    });
    try {
      const slow = async () => (await httpGet(served.url('/diagnostics'))).json().sources.slow;
      const late = { error: `no answer within ${SOURCE_TIMEOUT_MS} ms` };
      expect(await Promise.all([slow(), slow(), slow()])).toEqual([late, late, late]);
      expect(await slow()).toEqual(late);
      expect(calls).toBe(1);
      answer('late');
      await eventually(async () => {
        const next = slow();
        await eventually(() => calls === 2);
        answer('in time');
        expect(await next).toBe('in time');
      });
    } finally {
      answer(undefined);
      await served.app.close();
    }
  });

  it('needs a name of its own that can be shown', async () => {
    const source = (name: string): DiagnosticsSource => ({ name, read: () => 1 });
    for (const names of [['a', 'a'], [''], ['a b'], ['__proto__'], ['-'], ['x'.repeat(65)]]) {
      expect(() => new SummaryPart(names.map(source), silent)).toThrow(/diagnostics source/);
    }
    expect(() => new SummaryPart(['a', 'b', 'tcp-server', 'x'.repeat(64)].map(source), silent)).not.toThrow();
  });

  it('may be a class that Nest makes', async () => {
    @Injectable()
    class Shop {
      readonly orders = [1, 2, 3];
    }
    @Module({ providers: [Shop], exports: [Shop] })
    class ShopModule {}
    @Injectable()
    class ShopSource implements DiagnosticsSource {
      readonly name = 'shop';
      constructor(@Inject(Shop) private readonly shop: Shop) {}
      read() {
        return { ordersCount: this.shop.orders.length };
      }
    }
    const plain = { name: 'plain', read: () => true };
    const served = await DiagnosticsApp.start({ imports: [ShopModule], sources: [plain, ShopSource] });
    const { sources } = (await httpGet(served.url('/diagnostics'))).json();
    expect(Object.entries(sources)).toEqual([
      ['plain', true],
      ['shop', { ordersCount: 3 }],
    ]);
    await served.app.close();
  });
});

describe('a measurement that fails', () => {
  it('is an error in its own place, logged when it begins', async () => {
    const warnings: string[] = [];
    const log = { ...silent, warn: (line: string) => void warnings.push(line) };
    const service = new SummaryPart([], log, [new RecorderMeasurement(aRecorder(log))]);
    service.start();
    const real = process.getActiveResourcesInfo;
    try {
      process.getActiveResourcesInfo = () => {
        throw Object.assign(new Error(SECRET), { code: 'EMFILE' });
      };
      for (let times = 0; times < 3; times++) {
        const summary = diagnosticsSummarySchema.parse(await service.read());
        expect(summary.activeResources).toEqual({ error: 'Error (EMFILE)' });
        expect(summary.heap).toHaveProperty('usedBytes');
      }
      expect(warnings).toHaveLength(1);
      process.getActiveResourcesInfo = real;
      expect((await service.read()).activeResources).toHaveProperty('totalCount');
    } finally {
      process.getActiveResourcesInfo = real;
      service.stop();
    }
  });
});

describe('the sources of commander', () => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.stop());

  it('in-flight counts the work that a shutdown would wait for', async () => {
    @Module({ imports: [LifecycleModule, DiagnosticsModule.forRoot({ sources: [InFlightSource] })] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    const inFlight = app.get(InFlight);
    const counts = async () => (await app.get(Diagnostics, { strict: false }).summary.read()).sources['in-flight'];
    expect(await counts()).toEqual({ totalCount: 0, countByKind: {} });
    const ends = [inFlight.begin('run'), inFlight.begin('run'), inFlight.begin('command')];
    expect(await counts()).toEqual({ totalCount: 3, countByKind: { run: 2, command: 1 } });
    for (const end of ends) end();
    expect(await counts()).toEqual({ totalCount: 0, countByKind: { run: 0, command: 0 } });
    await app.close();
  });

  it('redis tells the state of the client and what waits, without asking Redis', async () => {
    const app = await redisApp({ REDIS_URL: redis.url });
    const client = clientOf(app);
    const source = new RedisSource(client, app.get(RedisClock));
    try {
      // The client's own clock asks, too, for a moment.
      const calm = () => expect(source.read()).toMatchObject({ status: 'ready', unansweredCount: 0, unsentCount: 0 });
      await eventually(calm);
      redis.freeze();
      const pings = [client.ping(), client.ping(), client.ping()];
      const { unansweredCount } = source.read();
      expect(unansweredCount).toBeGreaterThanOrEqual(3);
      redis.thaw();
      await Promise.all(pings);
      await redis.kill();
      await eventually(() => source.read().status !== 'ready');
      const waiting = client.ping();
      expect(source.read().unsentCount).toBeGreaterThanOrEqual(1);
      await redis.restart();
      await waiting;
      await eventually(calm);
    } finally {
      redis.thaw();
      await app.close();
    }
  });

  it('queues counts the jobs of the engine, and does not ask a Redis that is away', async () => {
    const app = await redisApp({ REDIS_URL: redis.url });
    const client = app.get<RedisClient>(REDIS);
    const queue = new Queue('engine', { connection: engineConnection(client) });
    queue.on('error', () => undefined);
    let asked = 0;
    const counts = async () => {
      asked++;
      const { waiting = 0, active = 0, delayed = 0 } = await queue.getJobCounts('waiting', 'active', 'delayed');
      return { waitingCount: waiting, activeCount: active, delayedCount: delayed };
    };
    const due = {
      overdue: async () => ({ overdueCount: await client.zcount('due', '-inf', Date.now()), overdueMs: 0 }),
    };
    const service = new SummaryPart([new QueuesSource({ counts }, due, client)], silent);
    try {
      await queue.addBulk([
        { name: 'run', data: 1 },
        { name: 'run', data: 2 },
        { name: 'run', data: 3, opts: { delay: 60_000 } },
      ]);
      const queues = { waitingCount: 2, activeCount: 0, delayedCount: 1, overdueCount: 0, overdueMs: 0 };
      await eventually(async () => expect((await service.read()).sources).toEqual({ queues }));
      const askedInVain = asked + 1;
      redis.freeze();
      for (let times = 0; times < 3; times++) {
        expect((await service.read()).sources).toEqual({
          queues: { error: `no answer within ${SOURCE_TIMEOUT_MS} ms` },
        });
      }
      expect(asked).toBe(askedInVain);
      redis.thaw();
      await eventually(async () => expect((await service.read()).sources['queues']).toHaveProperty('waitingCount'));
      await redis.kill();
      await eventually(() => redisStatus(client) !== 'ready');
      const askedBefore = asked;
      // The first when no question was left on its way, the second when one was.
      const errors = [{ error: 'Redis is not reachable' }, { error: `no answer within ${SOURCE_TIMEOUT_MS} ms` }];
      for (let times = 0; times < 3; times++) expect(errors).toContainEqual((await service.read()).sources['queues']);
      expect(asked).toBe(askedBefore);
      await redis.restart();
      await eventually(async () => expect((await service.read()).sources['queues']).toHaveProperty('waitingCount'));
    } finally {
      redis.thaw();
      await queue.close();
      await app.close();
    }
  });
});
