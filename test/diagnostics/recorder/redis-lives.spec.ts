import { NestFactory } from '@nestjs/core';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { ConfigModule } from '../../../src/config/config.module';
import { readSettings } from '../../../src/config/settings';
import { diagnosticsSummarySchema, type DiagnosticsSummary } from '../../../src/contract/diagnostics.schema';
import { historySchema, type Life, type Lives, livesSchema } from '../../../src/contract/recorder.schema';
import { archivedEnd } from '../../../src/diagnostics/recorder/life-end';
import { RedisLives } from '../../../src/diagnostics/redis-lives/redis-lives';
import { RedisModule } from '../../../src/redis/redis.module';
import { CommanderClient } from '../../../src/sdk/commander-client';
import { BuiltApp } from '../../support/built-app';
import { eventually } from '../../support/eventually';
import { httpGet } from '../../support/http-get';
import { RedisCluster } from '../../support/redis-cluster';
import { RedisServer } from '../../support/redis-server';
import { sample } from './support/sample';

jest.setTimeout(120_000);

/** Started, listening and telling what it is: with every process of this machine busy that takes its time. */
const SLOW = { timeoutMs: 60_000 };
const KEPT = 40;

const summaryOf = async (app: BuiltApp): Promise<DiagnosticsSummary> =>
  diagnosticsSummarySchema.parse((await httpGet(`${app.httpUrl}/diagnostics`)).json());
const copyOf = async (app: BuiltApp) => {
  const { recorder } = await summaryOf(app);
  if ('error' in recorder || recorder.copy === null) throw new Error('no copy');
  return recorder.copy;
};
/** The counters of the copy among the metrics. */
const countedIn = async (app: BuiltApp) => {
  const { text } = await httpGet(`${app.httpUrl}/metrics`);
  const counter = (what: string) =>
    Number(new RegExp(`^mu_recorder_${what}_total\\{to="redis"\\} (\\d+)$`, 'm').exec(text)?.[1]);
  return { written: counter('written'), dropped: counter('dropped') };
};
const livesOf = async (app: BuiltApp, query = ''): Promise<Lives> =>
  livesSchema.parse((await httpGet(`${app.httpUrl}/diagnostics/lives${query}`)).json());

describe('the copy of the recorder in Redis', () => {
  let redis: RedisServer;
  const running = new Set<BuiltApp>();

  beforeEach(async () => (redis = await RedisServer.start()));
  afterEach(async () => {
    await Promise.all([...running].map((app) => app.stop()));
    running.clear();
    await redis.stop();
  });

  /** A replica that has no disk to remember anything on. */
  const replica = async (instance: string, env: Record<string, string> = {}): Promise<BuiltApp> => {
    const app = await BuiltApp.start({
      redisUrl: redis.url,
      env: {
        EVIDENCE_DIR: '',
        INSTANCE_NAME: instance,
        RECORDER_INTERVAL_MS: '100',
        RECORDER_REDIS_SAMPLES: String(KEPT),
        ...env,
      },
    });
    running.add(app);
    return app;
  };
  const written = (app: BuiltApp, count: number) =>
    eventually(async () => expect((await copyOf(app)).writtenCount).toBeGreaterThanOrEqual(count), SLOW);

  it('is capped, expires, and stands below the prefix of the service in one hash slot', async () => {
    const app = await replica('pod-a');
    await written(app, 3 * KEPT);
    const keys = (await redis.cli('KEYS', '*pod-a')).split('\n').sort();
    expect(keys).toEqual(['{commander}:life-samples:pod-a', '{commander}:lives:pod-a']);
    // `~`: Redis drops whole blocks, of two or three samples each.
    const length = Number(await redis.cli('XLEN', keys[0]!));
    expect(length).toBeGreaterThanOrEqual(KEPT);
    expect(length).toBeLessThan(2 * KEPT);
    for (const key of [...keys, '{commander}:instances']) {
      const ttlMs = Number(await redis.cli('PTTL', key));
      expect(ttlMs).toBeGreaterThan(23 * 3_600_000);
      expect(ttlMs).toBeLessThanOrEqual(24 * 3_600_000);
    }
    // A slow machine may drop some, and then be behind for a moment.
    const { droppedCount, lastWrittenAt } = await eventually(async () => {
      const copy = await copyOf(app);
      expect(copy.failing).toBeNull();
      expect(copy.underWayCount).toBeLessThanOrEqual(1);
      return copy;
    }, SLOW);
    expect(Math.abs(Date.now() - lastWrittenAt!)).toBeLessThan(10_000);
    const counted = await countedIn(app);
    expect(counted.written).toBeGreaterThanOrEqual(3 * KEPT);
    expect(counted.dropped).toBeGreaterThanOrEqual(droppedCount);
    expect(counted.dropped).toBeLessThanOrEqual((await copyOf(app)).droppedCount);
  });

  it('tells of a life whose file system went with it: how it ended, what it was like, over HTTP and TCP', async () => {
    const first = await replica('pod-a');
    await written(first, 5);
    await first.kill();
    running.delete(first);

    const next = await replica('pod-a');
    const { previous } = await eventually(async () => {
      const lives = await livesOf(next);
      expect(lives.unread).toBeNull();
      return lives;
    }, SLOW);
    expect(previous).toHaveLength(1);
    const [life] = previous as [Life];
    // A crash leaves no word in Redis, so whether it was one is not known.
    expect(life).toMatchObject({ pid: first.pid, instance: 'pod-a', end: 'unknown', exitCode: null, evidence: [] });
    expect(life.endedAt).toBe(life.lastSample!.at);
    expect(life.startedAt).toBeLessThan(life.endedAt!);
    await eventually(() => expect(next.output()).toContain(`the life before this one: ${life.id}`), SLOW);

    const ask = (query: string) => httpGet(`${next.httpUrl}/diagnostics/history?${query}`);
    const answer = await ask(`life=${life.id}`);
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
    const { samples } = historySchema.parse(answer.json());
    expect(samples.length).toBeGreaterThanOrEqual(5);
    expect(samples.at(-1)).toEqual(life.lastSample);
    for (const [index, after] of samples.slice(1).entries()) expect(after.at).toBeGreaterThan(samples[index]!.at);
    const from = samples.at(-2)!.at;
    expect(historySchema.parse((await ask(`life=${life.id}&from=${from}`)).json()).samples).toEqual(samples.slice(-1));
    expect((await ask(`life=${life.id}&format=text`)).text.trimEnd().split('\n')).toHaveLength(samples.length + 1);
    const unknown = await ask('life=nobody');
    expect([unknown.status, unknown.json().code]).toEqual([404, 'NOT_FOUND']);
    expect((await ask('life=a%2F..%2Fb')).status).toBe(400);
    expect((await ask('instance=pod-a')).status).toBe(400);

    const client = new CommanderClient({ port: next.tcpPort, requestTimeoutMs: 20_000 });
    try {
      const overTcp = await client.diagnostics.history({ life: life.id });
      expect(overTcp.samples.at(-1)).toEqual(life.lastSample);
      await expect(client.diagnostics.history({ life: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect((await client.diagnostics.lives({})).previous).toEqual(previous);
    } finally {
      await client.close();
    }
  });

  it('tells a replica of another one that is gone, and of one that runs', async () => {
    const gone = await replica('pod-a');
    await written(gone, 2);
    expect((await gone.stop()).code).toBe(0);
    running.delete(gone);
    const [runs, asked] = await Promise.all([replica('pod-b'), replica('pod-c')]);
    await written(runs, 2);

    await eventually(async () => {
      const { instances, previous } = await livesOf(asked);
      expect(previous).toEqual([]);
      expect(instances.map(({ instance }) => instance)).toEqual(expect.arrayContaining(['pod-a', 'pod-b']));
    }, SLOW);
    const [ended] = (await livesOf(asked, '?instance=pod-a')).previous;
    expect(ended).toMatchObject({ pid: gone.pid, instance: 'pod-a', end: 'clean', endedAt: expect.any(Number) });
    const [other] = (await livesOf(asked, '?instance=pod-b')).previous;
    expect(other).toMatchObject({ pid: runs.pid, end: 'running', endedAt: null });
    const history = await httpGet(`${asked.httpUrl}/diagnostics/history?life=${ended!.id}&instance=pod-a`);
    expect(historySchema.parse(history.json()).samples.at(-1)).toEqual(ended!.lastSample);
    expect((await httpGet(`${asked.httpUrl}/diagnostics/lives?format=text`)).text).toContain('other instances: ');
  });

  it('drops and counts what a frozen Redis does not take, holds nothing up, and goes on when it is back', async () => {
    const app = await replica('pod-a');
    await written(app, 3);
    redis.freeze();
    const before = (await copyOf(app)).droppedCount;
    const seen: { underWay: number; unanswered: number }[] = [];
    await eventually(async () => {
      expect((await httpGet(`${app.httpUrl}/livez`, { timeoutMs: 5_000 })).status).toBe(200);
      const { sources, recorder } = await summaryOf(app);
      const { copy } = recorder as { copy: { droppedCount: number; underWayCount: number } };
      const { unansweredCount } = sources['redis'] as { unansweredCount: number };
      seen.push({ underWay: copy.underWayCount, unanswered: unansweredCount });
      expect(copy.droppedCount).toBeGreaterThan(before + 60);
    }, SLOW);
    // 60 intervals later the client keeps no more than in the first of them.
    expect(Math.max(...seen.map(({ underWay }) => underWay))).toBeLessThanOrEqual(4);
    expect(seen.at(-1)!.unanswered).toBeLessThan(30);
    expect((await countedIn(app)).dropped).toBeGreaterThan(before + 60);
    expect((await copyOf(app)).failing).toMatch(/^Redis /);
    const lives = await livesOf(app);
    expect(lives).toMatchObject({
      current: { end: 'running' },
      previous: [],
      unread: expect.stringMatching(/^Redis /),
    });
    const { writtenCount } = await copyOf(app);

    redis.thaw();
    await written(app, writtenCount + 5);
    await eventually(async () => {
      expect((await copyOf(app)).failing).toBeNull();
      expect((await livesOf(app)).unread).toBeNull();
    }, SLOW);
  });

  it('ends in time with a Redis that does not answer', async () => {
    const app = await replica('pod-a', { DRAIN_TIMEOUT_MS: '500', SHUTDOWN_TIMEOUT_MS: '8000' });
    await written(app, 2);
    redis.freeze();
    expect((await app.stop()).signal).toBeNull();
    running.delete(app);
  });

  it('goes on after Redis was killed and came back empty', async () => {
    const app = await replica('pod-a');
    await written(app, 3);
    await redis.kill();
    await eventually(async () => {
      const { droppedCount, failing } = await copyOf(app);
      expect(droppedCount).toBeGreaterThan(0);
      expect(failing).toBe('Redis is not reachable');
    }, SLOW);
    const { writtenCount } = await copyOf(app);
    await redis.restart();
    await written(app, writtenCount + 3);
    expect(Number(await redis.cli('XLEN', '{commander}:life-samples:pod-a'))).toBeGreaterThanOrEqual(3);
  });

  it('can be switched off', async () => {
    const app = await replica('pod-a', { RECORDER_REDIS_SAMPLES: '0' });
    await eventually(async () => {
      const { recorder } = await summaryOf(app);
      expect(recorder).toMatchObject({ copy: null, samplesCount: expect.any(Number) });
      expect((recorder as { samplesCount: number }).samplesCount).toBeGreaterThan(3);
    }, SLOW);
    expect(await redis.cli('KEYS', '*pod-a')).toBe('');
  });
});

describe('bounds of the copy', () => {
  let redis: RedisServer;
  let cluster: RedisCluster | undefined;
  let context: INestApplicationContext | undefined;
  const life = (instance: string, id: string) => ({ id, instance, pid: 1, startedAt: 1_000, identity: null });
  const record = (at: number, name = '') => ({
    sample: sample({ at, kinds: name === '' ? {} : { [name]: 1 } }),
    isNearLimit: false,
    verdicts: [],
  });

  const open = async (env: Record<string, string>): Promise<RedisLives> => {
    @Module({ imports: [ConfigModule.forRoot(readSettings(env)), RedisModule], providers: [RedisLives] })
    class OnlyRedis {}
    context = await NestFactory.createApplicationContext(OnlyRedis, { logger: false });
    const lives = context.get(RedisLives);
    // Until it is connected nothing is kept.
    await eventually(async () => (await lives.read('one', 1)).lives.length === 0, SLOW);
    return lives;
  };
  const kept = async (lives: RedisLives, count: number) =>
    eventually(() => expect(lives.status).toMatchObject({ writtenCount: count, underWayCount: 0 }), SLOW);

  beforeEach(async () => (redis = await RedisServer.start()));
  afterEach(async () => {
    await context?.close();
    context = undefined;
    await cluster?.stop();
    await redis.stop();
  });

  it('64 lives of an instance, 64 instances, and no record above 32 KiB', async () => {
    const lives = await open({ REDIS_URL: redis.url });
    let count = 0;
    const write = async (instance: string, id: string) => {
      await eventually(() => lives.status.underWayCount === 0, SLOW);
      lives.write(life(instance, id), record(count));
      await kept(lives, ++count);
    };
    for (let number = 0; number < 70; number++) await write('one', `2026010${String(number).padStart(3, '0')}`);
    const { lives: found } = await lives.read('one', 100);
    expect(found.map(({ id }) => id)).toEqual(
      Array.from({ length: 64 }, (_, index) => `2026010${String(69 - index).padStart(3, '0')}`),
    );
    for (let number = 0; number < 66; number++) await write(`pod-${number}`, 'x');
    const { instances } = await lives.read('one', 1);
    expect(instances.map(({ instance }) => instance)).toEqual(
      Array.from({ length: 64 }, (_, index) => `pod-${65 - index}`),
    );
    expect((await redis.cli('KEYS', '*')).split('\n')).toHaveLength(2 * 64 + 1);

    lives.write(life('pod-65', 'x'), record(1, 'k'.repeat(40_000)));
    expect(lives.status).toMatchObject({ droppedCount: 1, failing: 'the record is longer than 32768 bytes' });
    const verdict = { id: 'a', sentence: 's'.repeat(40_000) };
    lives.write(life('pod-65', 'x'), { ...record(9), verdicts: [verdict as never] });
    await kept(lives, count + 1);
    expect((await lives.read('pod-65', 1)).lives[0]!.last).toEqual(record(9));
  });

  it('takes four at once and drops the fifth', async () => {
    const lives = await open({ REDIS_URL: redis.url });
    for (let number = 1; number <= 6; number++) lives.write(life('one', 'x'), record(number));
    expect(lives.status).toMatchObject({ underWayCount: 4, droppedCount: 2, failing: 'Redis does not keep up' });
    await kept(lives, 4);
    expect(lives.status.failing).toBeNull();
  });

  it('is told of a Redis that is full', async () => {
    const lives = await open({ REDIS_URL: redis.url });
    await redis.cli('CONFIG', 'SET', 'maxmemory', '1');
    lives.write(life('one', 'x'), record(1));
    await eventually(() =>
      expect(lives.status).toMatchObject({ droppedCount: 1, failing: expect.stringContaining('OOM') }),
    );
    await redis.cli('CONFIG', 'SET', 'maxmemory', '0');
    lives.write(life('one', 'x'), record(2));
    await kept(lives, 1);
  });

  it('reads two lives of one name apart, over several pages, and leaves out what it does not know', async () => {
    const lives = await open({ REDIS_URL: redis.url });
    for (let number = 1; number <= 260; number++) {
      await eventually(() => lives.status.underWayCount < 2, { intervalMs: 1, ...SLOW });
      lives.write(life('one', number % 2 ? 'odd' : 'even'), record(number));
    }
    await kept(lives, 260);
    await redis.cli('XADD', '{commander}:life-samples:one', '*', 'life', 'odd', 'record', '{"from":"later"}');
    lives.write(life('one', 'odd'), record(261));
    await kept(lives, 261);
    const read: number[] = [];
    for await (const batch of lives.samples('one', 'odd')) read.push(...batch.map(({ at }) => at));
    expect(read).toEqual(Array.from({ length: 131 }, (_, index) => 2 * index + 1));
  });

  it('works in a cluster', async () => {
    cluster = await RedisCluster.start();
    const lives = await open(cluster.env);
    lives.write(life('one', 'x'), record(5));
    await kept(lives, 1);
    await lives.end(life('one', 'x'), 77);
    const { lives: found, instances } = await lives.read('one', 5);
    expect(found).toMatchObject([{ id: 'x', stoppedAt: 77, last: record(5), header: life('one', 'x') }]);
    expect(instances).toHaveLength(1);
    for await (const batch of lives.samples('one', 'x')) expect(batch).toEqual([record(5).sample]);
  });
});

describe('how a life ended, when nothing is known but its copy', () => {
  const header = { id: 'x', instance: 'spec', pid: 1, startedAt: 5, identity: 'gone' };
  const read = (at: number, isNearLimit = false, stoppedAt: number | null = null) => ({
    header,
    last: { sample: sample({ at, intervalMs: 10_000 }), isNearLimit, verdicts: [] },
    stoppedAt,
    exit: null,
  });
  const now = 1_000_000;

  it.each([
    ['it was heard a moment ago', read(now - 20_000), 0, 'running'],
    ['and has ended well since', read(now - 20_000, false, now - 10_000), 0, 'clean'],
    ['it was heard before the next life of its replica began', read(now - 20_000), now - 15_000, 'unknown'],
    ['it was not heard for long', read(now - 31_000), 0, 'unknown'],
    ['its last word was that memory is short', read(now - 31_000, true), 0, 'killed-near-limit'],
  ])('%s', (_, life, deadBefore, end) => {
    expect(archivedEnd(life, now, deadBefore).end).toBe(end);
  });
});
