import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LedgerStatus } from '../../src/ledger/ledger-snapshot.js';
import { eventually } from '../support/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { writeFixture, type Fixture, type ModuleFormat } from './support/fixture-writer.js';
import { families } from './support/planted.js';
import { runFixture, type PlantReport } from './support/run-fixture.js';

jest.setTimeout(180_000);

const formats: readonly [ModuleFormat, '--require' | '--import'][] = [
  ['commonjs', '--require'],
  ['esm', '--import'],
  ['typescript', '--require'],
];

describe('the line that created it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'commander-ledger-'));
  const accepted = new Set<Socket>();
  const servers: Server[] = [];
  let redis: RedisServer;
  /** A cluster of one node. */
  let cluster: RedisServer;
  let places: Record<string, unknown>;

  const listen = async (where: number | string): Promise<Server> => {
    const server = createServer((socket) => {
      accepted.add(socket);
      socket.on('error', () => undefined).on('close', () => accepted.delete(socket));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(where, () => resolve()));
    return server;
  };

  beforeAll(async () => {
    redis = await RedisServer.start();
    cluster = await RedisServer.start({ args: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'] });
    await cluster.cli('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await eventually(async () => (await cluster.cli('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    const mute = await listen(0);
    const unix = join(directory, 'mute.sock');
    await listen(unix);
    const file = join(directory, 'file.txt');
    writeFileSync(file, 'x'.repeat(1_000_000));
    const proto = join(directory, 'planted.proto');
    writeFileSync(
      proto,
      'syntax = "proto3"; package planted; service Planted { rpc Get (Nothing) returns (Nothing); } message Nothing {}',
    );
    places = {
      MUTE: (mute.address() as { port: number }).port,
      UNIX: unix,
      FILE: file,
      DIRECTORY: directory,
      REDIS: redis.url,
      CLUSTER: cluster.url,
      PROTO: proto,
    };
  });

  afterAll(async () => {
    for (const socket of accepted) socket.destroy();
    for (const server of servers) server.close();
    await redis.stop();
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  describe.each(formats)('in %s', (format, preload) => {
    describe.each(families.map((family) => [family.name, family] as const))('%s', (name, family) => {
      let fixture: Fixture;
      let reports: Map<string, PlantReport>;
      let status: LedgerStatus;

      beforeAll(async () => {
        fixture = writeFixture(join(directory, `${format}-${name}`), family, format);
        ({ reports, status } = await runFixture(fixture.main, preload, places));
      });

      const groupsAt = (id: string, phase: 'open' | 'after', kind: string, via?: string) => {
        const report = reports.get(id);
        if (!report || report.failure) throw new Error(report?.failure ?? `no report of ${id}`);
        return report[phase].filter(
          (group) =>
            group.kind === kind &&
            group.via === via &&
            group.site?.file === fixture.file &&
            group.site.line === fixture.lines.get(id),
        );
      };
      const liveAt = (...at: Parameters<typeof groupsAt>): number =>
        groupsAt(...at).reduce((sum, group) => sum + group.live, 0);

      it.each(family.plants.map((plant) => [plant.id, plant] as const))(
        '%s',
        (id, { kind, count, also, atLeastBytes }) => {
          if (atLeastBytes !== undefined) {
            const bytes = groupsAt(id, 'open', kind).reduce((sum, group) => sum + (group.liveBytes ?? 0), 0);
            expect(bytes).toBeGreaterThan(atLeastBytes);
            return;
          }
          expect(liveAt(id, 'open', kind)).toBe(count);
          expect(groupsAt(id, 'open', kind).every(({ exact }) => exact)).toBe(true);
          expect(liveAt(id, 'after', kind)).toBe(0);
          if (!also) return;
          expect(liveAt(id, 'open', also.kind, also.via)).toBe(also.count);
          expect(liveAt(id, 'after', also.kind, also.via)).toBe(0);
        },
      );

      it('without a failure inside the ledger', () => {
        expect(status).toMatchObject({ failuresCount: 0, lastFailure: null, unhooked: [] });
      });
    });
  });
});
