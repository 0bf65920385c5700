import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IContainer } from 'kubernetes-models/v1';
import { CommanderClient } from '../../src/sdk/commander-client.js';
import { eventually } from '../support/eventually.js';
import { TcpAgent } from '../support/fake-agent.js';
import { ofKind, podOf, renderKustomization } from '../support/manifests/manifests.js';
import { Container } from '../support/pod/container.js';
import { containerSpec } from '../support/pod/container-spec.js';
import { Pod } from '../support/pod/pod.js';
import { describeWithPods } from '../support/pod/pod-machine.js';
import { podSpec } from '../support/pod/pod-spec.js';

/** An address of its own, as a pod has: the port of the manifest is free there. */
const IP = `127.${200 + (process.pid % 50)}.7.1`;

describeWithPods('the throw-away Redis of overlay dev', () => {
  const rendered = renderKustomization(join(__dirname, '../../k8s/overlays/dev'));
  const pod = podOf(ofKind(rendered, 'Deployment').find(({ metadata }) => metadata.name === 'redis')!).spec!;
  const [redis] = pod.containers as [IContainer];
  const { containerPort } = redis.ports![0]!;
  const spec = containerSpec(pod, redis, []);
  let directory: string;
  let container: Container;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'commander-dev-redis-'));
    chmodSync(directory, 0o755);
    const volumes = spec.volumes.map(({ name, mountPath }) => {
      const at = join(directory, name);
      mkdirSync(at);
      chownSync(at, 0, spec.fsGroup!);
      chmodSync(at, 0o2777);
      return { directory: at, mountPath, isReadOnly: false };
    });
    container = Container.start({
      spec: { ...spec, command: [...spec.command, '--bind', IP] },
      ...{
        name: 'dev-redis',
        hostname: 'redis',
        env: {},
        appDirectory: directory,
        nodeFile: process.execPath,
        volumes,
      },
    });
  });
  afterAll(async () => {
    container.signal('SIGKILL');
    await container.ended;
    rmSync(directory, { recursive: true });
  });

  const cli = async (...args: string[]) =>
    (await container.exec(['redis-cli', '-h', IP, '-p', String(containerPort), ...args])).trim();

  it('answers its probes as an unprivileged process on a read-only root, and holds less than its limit', async () => {
    for (const { exec } of [redis.startupProbe!, redis.livenessProbe!, redis.readinessProbe!]) {
      const [program, ...args] = exec!.command!;
      expect(program).toBe('redis-cli');
      await eventually(async () => expect(await cli(...args)).toBe('PONG'));
    }
    const status = await container.exec(['cat', '/proc/1/status']);
    expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).toBe('999');
    expect(/^CapEff:\s+(\w+)/m.exec(status)?.[1]).toBe('0000000000000000');
    await expect(container.exec(['touch', '/x'])).rejects.toThrow(/Read-only file system/);
    const [, maxBytes] = (await cli('config', 'get', 'maxmemory')).split('\n');
    expect(Number(maxBytes)).toBeGreaterThan(0);
    // Room for the pages that are copied while the append-only file is rewritten, and for the buffers of clients.
    expect(Number(maxBytes) * 1.5).toBeLessThan(spec.memoryLimitBytes);
    expect(await cli('config', 'get', 'maxmemory-policy')).toContain('noeviction');
  });

  it('carries the commander of the same overlay, keeps what it is told, and ends when it is told to', async () => {
    const commander = Pod.create(podSpec(rendered), { env: { REDIS_URL: `redis://${IP}:${containerPort}` } });
    const to = { host: commander.ip, port: commander.spec.commandPort, token: commander.env.COMMANDER_TOKEN };
    const client = new CommanderClient(to);
    let agent: TcpAgent | undefined;
    try {
      await commander.ready();
      agent = await TcpAgent.start({ handler: async ({ job }) => job.payload });
      await agent.join(to);
      expect((await client.jobs.submit({ job: { name: 'job', payload: 7 }, wait: true })).result).toBe(7);
      await client.schedules.upsert({ id: 'kept', everyMs: 60_000, job: { name: 'job' } });
      expect(readdirSync(join(directory, 'data'))).toContain('appendonlydir');
    } finally {
      await client.close();
      await commander.delete();
      await agent?.stop();
    }
    container.signal('SIGTERM');
    expect(await container.ended).toMatchObject({ exitCode: 0, reason: 'Completed' });
  }, 120_000);
});
