import type { AddressInfo } from 'node:net';
import {
  type BeforeApplicationShutdown,
  Global,
  type INestApplication,
  Injectable,
  type LoggerService,
  Module,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConfigModule } from '../../src/config/config.module';
import { readSettings } from '../../src/config/settings';
import { commands } from '../../src/contract/commands';
import { HealthModule } from '../../src/health/health.module';
import { HealthService } from '../../src/health/health.service';
import { REDIS_PROBE_TIMEOUT_MS } from '../../src/health/redis.indicator';
import { LifecycleModule } from '../../src/lifecycle/lifecycle.module';
import { ReadinessChecks } from '../../src/lifecycle/readiness-checks';
import { REDIS, type RedisClient } from '../../src/redis/redis-client';
import { RedisModule } from '../../src/redis/redis.module';
import { eventually } from '../support/eventually';
import { httpGet, type HttpAnswer } from '../support/http-get';
import { RedisServer } from '../support/redis-server';
import { workerWaits } from './support/worker-waits';

/** A module whose part of the drain takes as long as the test wants. */
@Injectable()
class SlowDrain implements BeforeApplicationShutdown {
  readonly begun = gate();
  readonly over = gate();

  async beforeApplicationShutdown(): Promise<void> {
    this.begun.open();
    await this.over.opened;
  }
}

function gate() {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

/** What ioredis holds of commands without an answer. */
interface CommandQueue {
  toArray(): { command: { name: string } }[];
}

@Global()
@Module({ providers: [SlowDrain], exports: [SlowDrain] })
class SlowDrainModule {}

class CollectingLogger implements LoggerService {
  readonly lines: string[] = [];
  private readonly keep = (message: unknown, context?: unknown) =>
    void this.lines.push(`${String(context)}: ${String(message)}`);
  log = this.keep;
  warn = this.keep;
  error = this.keep;
}

describe('/livez, /readyz and system.health', () => {
  let redis: RedisServer;
  let app: INestApplication;
  let port: number;
  let logger: CollectingLogger;

  const get = (path: string): Promise<HttpAnswer> => httpGet(`http://127.0.0.1:${port}${path}`);
  const readyz = () => get('/readyz');
  /** Once a PING of a busy machine may come too late: then it is asked again. */
  const isReady = () =>
    eventually(async () => {
      const answer = await readyz();
      expect(answer.status).toBe(200);
      return answer;
    });

  beforeEach(async () => {
    redis = await RedisServer.start();
    logger = new CollectingLogger();
    const settings = readSettings({ REDIS_URL: redis.url });
    @Module({ imports: [ConfigModule.forRoot(settings), LifecycleModule, RedisModule, SlowDrainModule, HealthModule] })
    class ProbedModule {}
    app = await NestFactory.create(ProbedModule, { logger, abortOnError: false });
    await app.listen(0, '127.0.0.1');
    port = (app.getHttpServer().address() as AddressInfo).port;
    await eventually(async () => expect((await readyz()).status).toBe(200));
  });

  afterEach(async () => {
    app.get(SlowDrain).over.open();
    redis.thaw();
    await app.close();
    await redis.stop();
  });

  it('is ready while Redis answers and every feature is up', async () => {
    const remove = app.get(ReadinessChecks).add('crawler', () => 'up');
    const answer = await isReady();
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(commands['system.health'].reply.parse(answer.json())).toEqual({
      status: 'ok',
      checks: {
        crawler: { status: 'up' },
        engine: { status: 'up' },
        redis: { status: 'up' },
        serving: { status: 'up' },
      },
    });
    remove();
    expect((await readyz()).json().checks).not.toHaveProperty('crawler');
  });

  it('is not ready while a feature is down, and says which and why', async () => {
    let answerOfCrawler: () => 'up' | { down: string } = () => ({ down: 'the browser is not running' });
    app.get(ReadinessChecks).add('crawler', () => answerOfCrawler());
    expect((await readyz()).status).toBe(503);
    expect((await readyz()).json()).toMatchObject({
      status: 'error',
      checks: { crawler: { status: 'down', message: 'the browser is not running' }, redis: { status: 'up' } },
    });

    answerOfCrawler = () => {
      throw new Error('redis://user:secret@10.0.0.1');
    };
    const answer = await readyz();
    expect(answer.status).toBe(503);
    expect(answer.text).not.toContain('secret');

    answerOfCrawler = () => 'up';
    await isReady();
  });

  it('refuses a second check of one name, and lets no feature hide Redis', async () => {
    const checks = app.get(ReadinessChecks);
    const remove = checks.add('crawler', () => 'up');
    expect(() => checks.add('crawler', () => 'up')).toThrow('already there');
    remove();
    expect(() => checks.add('crawler', () => 'up')).not.toThrow();

    checks.add('redis', () => 'up');
    await redis.kill();
    await eventually(async () => expect((await readyz()).json().checks.redis.status).toBe('down'));
  });

  it('turns not ready when Redis is gone, ready again when it is back, and stays alive', async () => {
    await redis.kill();
    await eventually(async () => {
      const answer = await readyz();
      expect(answer.status).toBe(503);
      expect(answer.json()).toMatchObject({
        status: 'error',
        checks: { redis: { status: 'down', message: 'Redis is not reachable' } },
      });
    });
    expect((await get('/livez')).status).toBe(200);
    await redis.restart();
    await eventually(async () => expect((await readyz()).status).toBe(200));
    await workerWaits(redis);
  });

  it('answers within its deadline while Redis is frozen, and queues one PING however many probes come', async () => {
    const client = app.get<RedisClient>(REDIS) as unknown as Record<'commandQueue' | 'offlineQueue', CommandQueue>;
    const pings = () =>
      [client.commandQueue, client.offlineQueue]
        .flatMap((queue) => queue.toArray())
        .filter(({ command }) => command.name === 'ping').length;
    redis.freeze();
    const startedMs = performance.now();
    const answers = await Promise.all(Array.from({ length: 50 }, readyz));
    // The deadline of the product, with room for a busy machine.
    expect(performance.now() - startedMs).toBeLessThan(REDIS_PROBE_TIMEOUT_MS + 8_000);
    for (const answer of answers) {
      expect(answer.status).toBe(503);
      expect(answer.json().checks.redis.status).toBe('down');
    }
    // Who comes after the first wait is over is told of a Redis that is known to be silent.
    const messages = new Set(answers.map((answer) => String(answer.json().checks.redis.message)));
    expect([...messages].filter((message) => message !== 'Redis is not reachable')).toEqual([
      'Redis did not answer in time',
    ]);
    for (let probe = 0; probe < 3; probe++) expect((await readyz()).status).toBe(503);
    expect(pings()).toBe(1);
    expect((await get('/livez')).json()).toEqual({ status: 'ok', checks: { eventLoop: { status: 'up' } } });

    redis.thaw();
    await eventually(async () => expect((await readyz()).status).toBe(200));
    expect(pings()).toBe(0);
  });

  it('opens no connection, with Redis up, frozen or gone', async () => {
    const ids = async () => (await redis.cli('CLIENT', 'LIST')).match(/^id=\d+(?=.* name=commander:)/gm);
    const received = async () => Number(/total_connections_received:(\d+)/.exec(await redis.cli('INFO', 'stats'))![1]);

    const idsBefore = await ids();
    expect(idsBefore).toHaveLength(1);
    const receivedBefore = await received();
    for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 10 }, readyz));
    redis.freeze();
    await Promise.all(Array.from({ length: 10 }, readyz));
    redis.thaw();
    await eventually(async () => expect((await readyz()).status).toBe(200));
    expect(await ids()).toEqual(idsBefore);
    // Two redis-cli calls since the first reading, this one included.
    expect((await received()) - receivedBefore).toBe(2);

    await redis.kill();
    await eventually(async () => expect((await readyz()).status).toBe(503));
    for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 10 }, readyz));
    await redis.restart();
    await eventually(async () => expect((await readyz()).status).toBe(200));
    await workerWaits(redis);
    expect(await ids()).toHaveLength(1);
  });

  it('answers 503 shutting_down, and stays alive, until the HTTP server closes', async () => {
    const drain = app.get(SlowDrain);
    const closed = app.close();
    await drain.begun.opened;
    const answer = await readyz();
    expect(answer.status).toBe(503);
    expect(answer.json()).toMatchObject({
      status: 'shutting_down',
      checks: { serving: { status: 'down', message: 'shutting down' }, redis: { status: 'up' } },
    });
    expect(answer.headers['connection']).toBe('close');
    expect((await get('/livez')).status).toBe(200);
    expect(await app.get(HealthService).check()).toMatchObject({ status: 'shutting_down' });
    drain.over.open();
    await closed;
    await expect(readyz()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('writes one log line per change, not per probe', async () => {
    const lines = () => logger.lines.filter((line) => /^(Health|HealthCheckService):/.test(line));
    expect(lines().at(-1)).toBe('Health: ready');
    let crawler: 'up' | { down: string } = { down: 'the browser is not running' };
    app.get(ReadinessChecks).add('crawler', () => crawler);
    const before = lines().length;
    for (let probe = 0; probe < 20; probe++) await readyz();
    expect(lines().slice(before)).toContain('Health: not ready: crawler (the browser is not running)');
    crawler = 'up';
    for (let probe = 0; probe < 20; probe++) await readyz();
    const told = lines().slice(before);
    expect(told.at(-1)).toBe('Health: ready');
    // Two changes; on a slow machine Redis may have been late for a probe, which is a change, too.
    expect(told.filter((line, index) => line === told[index - 1])).toEqual([]);
    expect(told.length).toBeLessThan(10);
    expect(logger.lines.join('\n')).not.toContain('Health Check has failed');
  });
});
