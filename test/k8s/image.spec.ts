import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CommanderClient } from '../../src/sdk/commander-client.js';
import { importBaseImage } from '../support/docker/base-image.js';
import type { ComposeFile } from '../support/docker/compose.check.js';
import { DockerEngine, missingPrograms } from '../support/docker/docker-engine.js';
import { readDockerfile, stagesOf } from '../support/docker/dockerfile.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { httpGet } from '../support/http-get.js';
import { RedisServer } from '../support/redis-server.js';
import manifest from '../../package.json';

const ROOT = join(__dirname, '../..');
const MiB = 2 ** 20;
/** What the image adds to its base: our code, its maps and the production packages. k8s/README.md states it. */
const LARGEST_OWN_BYTES = 60 * MiB;

const isWanted = process.env.DOCKER_IMAGE === 'true';
if (!isWanted) console.warn('SKIPPED: the image is built only with DOCKER_IMAGE=true (CONTRIBUTING.md).');

(isWanted ? describe : describe.skip)('the image, built for real', () => {
  const baseTag = stagesOf(readDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))).at(-1)![0]!.value;
  const image = `mu-commander:${manifest.version}`;
  const { commander } = (parse(readFileSync(join(ROOT, 'compose.yaml'), 'utf8')) as ComposeFile).services;
  let engine: DockerEngine;
  let redis: RedisServer;

  beforeAll(async () => {
    const missing = missingPrograms('docker', 'dockerd', 'debootstrap');
    if (missing.length > 0) throw new Error(`DOCKER_IMAGE=true needs ${missing.join(', ')} (CONTRIBUTING.md)`);
    engine = await DockerEngine.start();
    redis = await RedisServer.start();
    await importBaseImage(engine, baseTag);
    await engine.docker('build', '--network', 'host', '--build-arg', 'REVISION=test', '--tag', image, ROOT);
  }, 900_000);
  afterAll(async () => {
    await redis?.stop();
    await engine?.stop();
  }, 120_000);

  /** Runs a command in place of the service, and resolves with what it printed. */
  const inside = (...command: string[]) => engine.docker('run', '--rm', '--network', 'none', image, ...command);

  it('is no larger than stated', async () => {
    const size = async (tag: string) => Number(await engine.docker('image', 'inspect', '--format', '{{.Size}}', tag));
    const [baseBytes, wholeBytes] = [await size(baseTag), await size(image)];
    const [modules, dist] = (await inside('du', '-sm', 'node_modules', 'dist'))
      .split('\n')
      .map((line) => line.split('\t')[0]);
    console.log(
      `base (stand-in) ${Math.round(baseBytes / MiB)} MiB, ours ${Math.round((wholeBytes - baseBytes) / MiB)} MiB: ` +
        `node_modules ${modules}, dist ${dist}`,
    );
    expect(wholeBytes - baseBytes).toBeLessThan(LARGEST_OWN_BYTES);
    expect(wholeBytes - baseBytes).toBeGreaterThan(5 * MiB);
  });

  it('holds the production tree alone', async () => {
    const files = (await inside('find', '/app', '-maxdepth', '2')).split('\n');
    expect(files).toEqual(
      expect.arrayContaining(['/app/dist/main.js', '/app/package.json', '/app/node_modules/ioredis']),
    );
    for (const name of ['typescript', 'jest', 'esbuild', 'prettier', '@nestjs/cli']) {
      expect(files).not.toContain(`/app/node_modules/${name}`);
    }
    for (const name of ['src', 'scripts', 'test', 'k8s', '.git', '.npmrc', 'package-lock.json']) {
      expect(files).not.toContain(`/app/${name}`);
    }
  });

  it('keeps our source maps, and of the dependencies no map and no type', async () => {
    expect(await inside('find', '/app/dist/main.js.map')).toBe('/app/dist/main.js.map');
    expect(await inside('find', '/app/node_modules', '-name', '*.map', '-o', '-name', '*.d.ts')).toBe('');
  });

  it('runs as the user node, who owns nothing of the code', async () => {
    expect(await inside('id', '-u')).toBe('1000');
    expect(await inside('find', '/app', '-user', 'node', '-print', '-quit')).toBe('');
    expect(await inside('stat', '--format', '%U', '/var/lib/commander')).toBe('node');
  });

  it('carries its labels, ports and health check', async () => {
    const { Config } = JSON.parse(await engine.docker('image', 'inspect', '--format', '{{json .}}', image)) as {
      Config: { Labels: Record<string, string>; ExposedPorts: object; Healthcheck: { Test: string[] }; Cmd: string[] };
    };
    expect(Config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'mu-commander',
      'org.opencontainers.image.version': manifest.version,
      'org.opencontainers.image.revision': 'test',
    });
    expect(Object.keys(Config.ExposedPorts).sort()).toEqual(['6060/tcp', '7970/tcp']);
    expect(Config.Healthcheck.Test[0]).toBe('CMD');
    expect(Config.Cmd).toEqual(['node', '--enable-source-maps', '--min-semi-space-size=4', 'dist/main.js']);
  });

  it('refuses to start without its tokens, and says so', async () => {
    const refused = engine.docker('run', '--rm', '--network', 'host', image);
    await expect(refused).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/COMMANDER_TOKEN[^]*DIAGNOSTICS_TOKEN/),
    });
  });

  it('works as compose.yaml runs it: read-only, no capability, no new privilege, its limit; SIGTERM ends process 1 with 0', async () => {
    const [tcpPort, httpPort] = [await freePort(), await freePort()];
    const token = randomUUID();
    const environment = {
      ...{ TCP_PORT: tcpPort, HTTP_PORT: httpPort, REDIS_URL: redis.url },
      ...{ COMMANDER_TOKEN: token, DIAGNOSTICS_TOKEN: token, NODE_OPTIONS: commander.environment!.NODE_OPTIONS },
    };
    const container = await engine.docker(
      ...['run', '--detach', '--network', 'host', '--read-only', '--cap-drop', 'ALL'],
      ...[
        '--security-opt',
        'no-new-privileges:true',
        '--memory',
        commander.mem_limit!,
        '--memory-swap',
        commander.memswap_limit!,
      ],
      ...(commander.tmpfs ?? []).flatMap((mount) => ['--tmpfs', mount]),
      ...['--volume', '/var/lib/commander', '--health-interval', '2s'],
      ...Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      image,
    );
    const state = async () =>
      JSON.parse(await engine.docker('inspect', '--format', '{{json .State}}', container)) as {
        Status: string;
        ExitCode: number;
        OOMKilled: boolean;
        Health: { Status: string };
      };
    await eventually(async () => expect((await state()).Health.Status).toBe('healthy'), {
      timeoutMs: 60_000,
      intervalMs: 500,
    });

    const client = new CommanderClient({ port: tcpPort, token });
    await client.schedules.upsert({ id: 'image', everyMs: 60_000, job: { name: 'job' } });
    expect((await client.schedules.get({ id: 'image' })).id).toBe('image');
    const answer = await httpGet(`http://127.0.0.1:${httpPort}/diagnostics`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const { memory } = answer.json<{ memory: { limitBytes: number } }>();
    expect(memory.limitBytes).toBe(Number.parseInt(commander.mem_limit!, 10) * MiB);

    const read = (path: string) =>
      httpGet(`http://127.0.0.1:${httpPort}${path}`, {
        headers: { Authorization: `Bearer ${token}`, Accept: 'text/html,*/*;q=0.8' },
      });
    const page = await read('/diagnostics');
    expect(page).toMatchObject({ status: 200, headers: { 'content-type': expect.stringMatching(/^text\/html/) } });
    const assets = [...page.text.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map(([, path]) => path!);
    expect(assets.map((path) => path.split('/').at(-1)).sort()).toEqual(['main.css', 'main.js']);
    for (const path of assets) {
      const asset = await read(new URL(path, `http://127.0.0.1:${httpPort}/diagnostics`).pathname);
      expect([path, asset.status]).toEqual([path, 200]);
      expect(asset.text.length).toBeGreaterThan(1_000);
    }

    const exec = (...command: string[]) => engine.docker('exec', container, ...command);
    expect((await exec('cat', '/proc/1/cmdline')).split('\0')).toEqual([
      'node',
      '--enable-source-maps',
      '--min-semi-space-size=4',
      'dist/main.js',
      '',
    ]);
    const status = await exec('cat', '/proc/1/status');
    expect(/^CapEff:\s*(\w+)/m.exec(status)?.[1]).toBe('0000000000000000');
    expect(/^NoNewPrivs:\s*(\d)/m.exec(status)?.[1]).toBe('1');
    expect(/^Seccomp:\s*(\d)/m.exec(status)?.[1]).toBe('2');
    await expect(exec('touch', '/app/x')).rejects.toThrow(/Read-only file system/);
    await exec('touch', '/tmp/x', '/var/lib/commander/x');
    await client.close();

    await engine.docker('stop', '--time', String(Number.parseInt(commander.stop_grace_period!, 10)), container);
    expect(await state()).toMatchObject({ Status: 'exited', ExitCode: 0, OOMKilled: false });
    expect(await engine.docker('logs', container)).toMatch(/finished, exiting with code 0/);
  }, 180_000);
});
