import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientTCP } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import { ConfigModule } from '../../src/config/config.module';
import { readSettings, type Settings } from '../../src/config/settings';
import { commands } from '../../src/contract/commands';
import { historySchema } from '../../src/contract/recorder.schema';
import { diagnosticsSummarySchema, type DiagnosticsSummary } from '../../src/contract/diagnostics.schema';
import { verdictsSchema } from '../../src/contract/verdict.schema';
import { DiagnosticsCommandsController } from '../../src/diagnostics/commands/diagnostics-commands.controller';
import { DiagnosticsModule } from '../../src/diagnostics/diagnostics.module';
import { InFlightSource } from '../../src/diagnostics/sources/in-flight.source';
import { QueuesSource } from '../../src/diagnostics/sources/queues.source';
import { ReadinessSource } from '../../src/diagnostics/sources/readiness.source';
import { RedisSource } from '../../src/diagnostics/sources/redis.source';
import { RunsSource } from '../../src/diagnostics/sources/runs.source';
import { TcpSource } from '../../src/diagnostics/sources/tcp.source';
import { TicksSource } from '../../src/diagnostics/sources/ticks.source';
import { HealthModule } from '../../src/health/health.module';
import { LifecycleModule } from '../../src/lifecycle/lifecycle.module';
import { RedisModule } from '../../src/redis/redis.module';
import { RunsModule } from '../../src/runs/runs.module';
import { SchedulesModule } from '../../src/schedules/schedules.module';
import { CommanderServer } from '../../src/transport/commander-server';
import { TransportModule } from '../../src/transport/transport.module';
import { eventually } from '../support/eventually';
import { httpGet } from '../support/http-get';
import { workerWaits } from '../health/support/worker-waits';
import { RedisServer } from '../support/redis-server';

describe('diagnostics.summary and system.health over TCP', () => {
  let redis: RedisServer;
  let app: INestApplication;
  let client: ClientTCP;
  let httpUrl: string;
  let settings: Settings;

  const ask = (pattern: string, request: object): Promise<unknown> => firstValueFrom(client.send(pattern, request));
  const summary = async () => diagnosticsSummarySchema.parse(await ask('diagnostics.summary', {}));

  beforeAll(async () => {
    redis = await RedisServer.start();
    settings = readSettings({ REDIS_URL: redis.url, TCP_PORT: '0', HTTP_PORT: '0' });
    @Module({
      imports: [
        ConfigModule.forRoot(settings),
        LifecycleModule,
        RedisModule,
        TransportModule,
        RunsModule,
        SchedulesModule,
        HealthModule,
        DiagnosticsModule.forRoot({
          recorder: { intervalMs: 100 },
          sources: [ReadinessSource, RedisSource, QueuesSource, RunsSource, TicksSource, TcpSource, InFlightSource],
          controllers: [DiagnosticsCommandsController],
          imports: [TransportModule, RunsModule, SchedulesModule, HealthModule],
        }),
      ],
    })
    class CommanderModule {}
    app = await NestFactory.create(CommanderModule, { logger: false, abortOnError: false });
    app.connectMicroservice({ strategy: app.get(CommanderServer) });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    httpUrl = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
    client = new ClientTCP(app.get(CommanderServer).address());
    await eventually(async () => expect((await httpGet(`${httpUrl}/readyz`)).status).toBe(200));
  });

  afterAll(async () => {
    client.close();
    await app.close();
    await redis.stop();
  });

  it('answers what HTTP answers', async () => {
    // What is alive, by type, changes from one moment to the next.
    const overTcp = await eventually(async () => {
      const one = await summary();
      const other = diagnosticsSummarySchema.parse((await httpGet(`${httpUrl}/diagnostics`)).json());
      expect(paths(one)).toEqual(paths(other));
      return one;
    });
    expect(overTcp.process).toMatchObject({ pid: process.pid });
  });

  it('answers the history, with the commands among the work', async () => {
    await eventually(async () => {
      const { samples } = historySchema.parse(await ask('diagnostics.history', { from: Date.now() - 1_000 }));
      expect(samples.at(-1)!.workPerSecond['command']).toBeGreaterThan(0);
      expect(samples.at(-1)!.inFlightCount).toBeGreaterThanOrEqual(0);
    });
    await expect(ask('diagnostics.history', { step: 1 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('shows the state of Redis, the queue, the connections and the work under way', async () => {
    const before = await eventually(async () => {
      const sources = (await summary()).sources as Record<string, Record<string, number>>;
      expect(sources['redis']).toMatchObject({ status: 'ready' });
      expect(sources['queues']).toEqual({
        ...{ waitingCount: 0, activeCount: 0, delayedCount: 0 },
        ...{ overdueCount: 0, overdueMs: 0 },
      });
      expect(sources['readiness']).toMatchObject({ status: 'ok', checks: { redis: { status: 'up' } } });
      expect(sources['runs']).toMatchObject({ dispatchedCount: 0, waitingHereCount: 0 });
      expect(sources['ticks']).toMatchObject({ claimedCount: 0, lateCount: 0 });
      // The command that asks is under way while it is answered.
      expect(sources['in-flight']).toMatchObject({ totalCount: 1, countByKind: { command: 1 } });
      expect(sources['tcp']).toMatchObject({ tcpCount: 1, tcpMaxCount: settings.maxConnections });
      return sources;
    });

    const others = await Promise.all(
      [1, 2, 3].map(async () => {
        const other = new ClientTCP(app.get(CommanderServer).address());
        await other.connect();
        return other;
      }),
    );
    await eventually(async () => expect((await summary()).sources['tcp']).toMatchObject({ tcpCount: 4 }));
    for (const other of others) other.close();
    await eventually(async () => expect((await summary()).sources['tcp']).toMatchObject({ tcpCount: 1 }));
    expect(((await summary()).sources['tcp'] as Record<string, number>)['commandsCount']).toBeGreaterThan(
      before['tcp']!['commandsCount']!,
    );
  });

  it('shows of the sources what docs/diagnostics.md says of them', async () => {
    const sources = await eventually(async () => {
      const found = (await summary()).sources;
      expect(found['queues']).not.toHaveProperty('error');
      return found;
    });
    const docs = readFileSync(join(__dirname, '../../docs/diagnostics.md'), 'utf8')
      .split(/^## /m)
      .find((part) => part.startsWith('Sources\n'))!;
    const documented = [...docs.matchAll(/^\| `([^`]+)` \|/gm)].map((row) => row[1]!);
    // What is counted by name may have no name yet, and what is up has no message.
    const always = documented.filter((path) => !path.endsWith('.<name>') && !path.endsWith('.message'));
    const general = (path: string) =>
      path
        .replace(/(countBy\w+|\w+Counts)(\..+)?$/, '$1.<name>')
        .replace(/^readiness\.checks\.\w+/, 'readiness.checks.<name>');
    const shown = new Set(paths(sources).map(general));
    expect(always.filter((path) => !shown.has(path))).toEqual([]);
    expect([...shown].filter((path) => !documented.includes(path))).toEqual([]);
  });

  it('refuses a request that the contract does not know, and takes one that it knows', async () => {
    expect(verdictsSchema.parse(await ask('diagnostics.verdicts', { limit: 3 })).verdicts.length).toBeLessThanOrEqual(
      3,
    );
    await expect(ask('diagnostics.summary', { verbose: true })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(ask('diagnostics.summary', { requestId: 'r1', deadlineMs: 5_000 })).resolves.toHaveProperty('heap');
  });

  it('system.health answers what /readyz answers, with Redis up and down', async () => {
    const health = async () => commands['system.health'].reply.parse(await ask('system.health', {}));
    await eventually(async () => expect(await health()).toEqual((await httpGet(`${httpUrl}/readyz`)).json()));
    expect(await health()).toMatchObject({
      status: 'ok',
      checks: { engine: { status: 'up' }, redis: { status: 'up' } },
    });
    await redis.kill();
    await eventually(async () =>
      expect(await health()).toMatchObject({ status: 'error', checks: { redis: { status: 'down' } } }),
    );
    // With Redis away the page still answers.
    expect((await summary()).sources).toMatchObject({
      readiness: { status: 'error', checks: { redis: { status: 'down', message: expect.any(String) } } },
      queues: { error: expect.any(String) },
      tcp: { tcpCount: 1 },
    });
    await redis.restart();
    await eventually(async () => expect(await health()).toMatchObject({ status: 'ok' }));
    await workerWaits(redis);
  });
});

function paths(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries = Object.entries(value as DiagnosticsSummary);
  if (entries.length === 0) return [path];
  return entries.flatMap(([key, item]) => paths(item, path === '' ? key : `${path}.${key}`)).sort();
}
