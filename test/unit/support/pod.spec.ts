import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { eventually } from '../../support/eventually.js';
import { isAlive } from '../../support/is-alive.js';
import { Pod, type PodOptions } from '../../support/pod/pod.js';
import { describeWithPods } from '../../support/pod/pod-machine.js';
import type { PodSpec, ProbeSpec } from '../../support/pod/pod-spec.js';

/** Serves probes; how it behaves comes from the environment and from what it is asked. */
const PROGRAM = `
const fs = require('node:fs');
const http = require('node:http');
const write = (path) => { try { fs.writeFileSync(path, 'x'); return 'ok'; } catch (error) { return error.code; } };
const held = [];
let isWell = true;
let isReady = true;
http.createServer((request, response) => {
  const answer = (body, status = 200) => response.writeHead(status).end(JSON.stringify(body));
  if (request.url === '/livez') return answer({}, isWell ? 200 : 503);
  if (request.url === '/readyz') return answer({}, isReady ? 200 : 503);
  if (request.url === '/ill') isWell = false;
  if (request.url === '/unready') isReady = false;
  if (request.url === '/eat') setInterval(() => held.push(Buffer.alloc(4 * 2 ** 20, 1)), 5);
  if (request.url === '/exit') setImmediate(() => process.exit(7));
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  answer({
    pid: process.pid, uid: process.getuid(), gid: process.getgid(), groups: process.getgroups(), cwd: process.cwd(),
    limitBytes: process.constrainedMemory(), environment: Object.keys(process.env).sort(), hostname: require('node:os').hostname(),
    capabilities: /^CapBnd:\\s*(\\S+)/m.exec(status)[1], noNewPrivs: /^NoNewPrivs:\\s*(\\S+)/m.exec(status)[1],
    writes: Object.fromEntries(['/x', '/app/x', '/usr/x', '/etc/x', '/tmp/x', '/data/x'].map((path) => [path, write(path)])),
  });
}).listen(Number(process.env.PORT), process.env.HTTP_HOST, () => console.log('listening'));
process.on('SIGTERM', () => { console.log('SIGTERM'); if (!process.env.STUBBORN) process.exit(0); });
`;

const probe = (path: string, more: Partial<ProbeSpec> = {}): ProbeSpec => ({
  path,
  port: 6060,
  initialDelayMs: 0,
  periodMs: 100,
  timeoutMs: 1_000,
  failureThreshold: 3,
  successThreshold: 1,
  ...more,
});

describeWithPods('Pod', () => {
  const appDirectory = mkdtempSync(join(tmpdir(), 'commander-pod-app-'));
  const pods: Pod[] = [];
  const spec: PodSpec = {
    name: 'program',
    command: ['node', 'main.js'],
    env: { PORT: '6060' },
    memoryLimitBytes: 96 * 2 ** 20,
    uid: 1000,
    gid: 1000,
    fsGroup: 1234,
    hasReadOnlyRoot: true,
    dropsCapabilities: true,
    hasNoNewPrivileges: true,
    volumes: [
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'data', mountPath: '/data' },
    ],
    commandPort: 7970,
    httpPort: 6060,
    startupProbe: probe('/livez', { failureThreshold: 100 }),
    livenessProbe: probe('/livez'),
    readinessProbe: probe('/readyz'),
    preStop: undefined,
    graceMs: 2_000,
    replicas: 1,
    minReadyMs: 0,
    maxSurge: 1,
    maxUnavailable: 0,
  };
  const start = async (more: Partial<PodSpec> = {}, options: PodOptions = {}) => {
    const pod = Pod.create({ ...spec, ...more }, { appDirectory, ...options });
    pods.push(pod);
    await pod.ready();
    return pod;
  };
  const happened = (pod: Pod) => pod.events.map(({ what }) => what);

  beforeAll(() => {
    writeFileSync(join(appDirectory, 'main.js'), PROGRAM);
    chmodSync(appDirectory, 0o755);
  });
  afterEach(async () => {
    await Promise.all(pods.splice(0).map((pod) => pod.delete()));
  });
  afterAll(() => rmSync(appDirectory, { recursive: true }));

  it('is what the manifest says: user, groups, root, volumes, capabilities, limit, environment', async () => {
    const pod = await start();
    expect((await pod.get('/')).json()).toEqual({
      pid: 1,
      uid: 1000,
      gid: 1000,
      groups: expect.arrayContaining([1234]) as number[],
      cwd: '/app',
      limitBytes: spec.memoryLimitBytes,
      hostname: pod.name,
      environment: ['HOME', 'HOSTNAME', 'HTTP_HOST', 'PATH', 'PORT', 'TCP_HOST'],
      capabilities: '0000000000000000',
      noNewPrivs: '1',
      writes: {
        '/x': 'EROFS',
        '/app/x': 'EROFS',
        '/usr/x': 'EROFS',
        '/etc/x': 'EROFS',
        '/tmp/x': 'ok',
        '/data/x': 'ok',
      },
    });
    expect(readFileSync(join(pod.volumeDirectory('data'), 'x'), 'utf8')).toBe('x');
    const { usageBytes, workingSetBytes, anonymousBytes, peakBytes } = pod.memory();
    expect(anonymousBytes).toBeGreaterThan(2 ** 20);
    expect(workingSetBytes).toBeLessThanOrEqual(usageBytes);
    expect(peakBytes).toBeLessThanOrEqual(spec.memoryLimitBytes);
    expect((await pod.exec(['id', '-u'])).trim()).toBe('1000');
    // Its file and not its name, which from Node 24 on is that of the main thread.
    expect(basename((await pod.exec(['readlink', '/proc/1/exe'])).trim())).toBe('node');
  });

  it('differs where the manifest does', async () => {
    const pod = await start({
      hasReadOnlyRoot: false,
      dropsCapabilities: false,
      hasNoNewPrivileges: false,
      uid: 0,
      gid: 0,
    });
    const { uid, capabilities, noNewPrivs, writes } = (await pod.get('/')).json();
    expect({ uid, noNewPrivs, root: writes['/x'] }).toEqual({ uid: 0, noNewPrivs: '0', root: 'ok' });
    expect(capabilities).not.toBe('0000000000000000');
  });

  it('tells an OOM kill, restarts, and keeps the volumes', async () => {
    const pod = await start();
    await pod.exec(['sh', '-c', 'echo kept > /data/kept']);
    await pod.get('/eat');
    await eventually(() => pod.restartCount === 1, { timeoutMs: 30_000 });
    expect(pod.terminations[0]).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
    expect(pod.terminations[0]!.memory.peakBytes).toBeGreaterThan(0.9 * spec.memoryLimitBytes);
    await pod.ready();
    expect(await pod.exec(['cat', '/data/kept'])).toBe('kept\n');
  }, 60_000);

  it('tells a process that ends by itself from one that was killed', async () => {
    const pod = await start();
    await pod.get('/exit');
    await eventually(() => pod.restartCount === 1);
    expect(pod.terminations[0]).toMatchObject({ exitCode: 7, reason: 'Error' });
  });

  it('becomes unready without a restart, and restarts when it is not alive', async () => {
    const pod = await start();
    await pod.get('/unready');
    await eventually(() => !pod.isReady);
    expect(happened(pod)).toEqual(['Started', 'Ready', 'NotReady']);
    await pod.get('/ill');
    await eventually(() => pod.restartCount === 1);
    expect(happened(pod).slice(0, 6)).toEqual(['Started', 'Ready', 'NotReady', 'Unhealthy', 'Killing', 'Ended']);
    expect(pod.terminations[0]).toMatchObject({ exitCode: 0, reason: 'Completed' });
    await pod.ready();
  });

  it('is deleted: preStop first, SIGTERM after it, nothing left', async () => {
    const pod = await start({ preStop: ['sh', '-c', 'echo done > /data/pre-stop; sleep 1'], graceMs: 30_000 });
    const directory = pod.volumeDirectory('data');
    const deletion = pod.delete();
    await eventually(() => existsSync(join(directory, 'pre-stop')));
    expect(pod.isReady).toBe(false);
    expect(pod.output()).not.toContain('SIGTERM');
    expect(await deletion).toMatchObject({ exitCode: 0, reason: 'Completed' });
    expect(happened(pod)).toEqual(['Started', 'Ready', 'NotReady', 'Killing', 'Ended']);
    expect(existsSync(directory)).toBe(false);
  });

  it('is killed when the grace period is over, which begins with preStop', async () => {
    const pod = await start({ preStop: ['sleep', '60'], graceMs: 500 });
    expect(await pod.delete()).toMatchObject({ exitCode: 137, reason: 'Error' });
    expect(happened(pod)).toContain('GraceExceeded');
    const stubborn = await start({ graceMs: 500 }, { env: { STUBBORN: '1' } });
    expect(await stubborn.delete()).toMatchObject({ exitCode: 137, reason: 'Error' });
  });

  it('never becomes ready with a startup probe that fails, and is restarted', async () => {
    const startupProbe = probe('/no', { port: 1, failureThreshold: 2 });
    const pod = Pod.create({ ...spec, startupProbe, graceMs: 1_000 }, { appDirectory });
    pods.push(pod);
    await eventually(() => pod.restartCount === 1);
    expect(happened(pod)).not.toContain('Ready');
    expect(happened(pod)).toContain('Unhealthy');
  });

  it('dies with whoever started it', async () => {
    const pod = await start();
    const directory = pod.volumeDirectory('data');
    const seen = await pod.exec(['sh', '-c', 'cat /proc/1/status']);
    // The process id on this machine stands first in NSpid; inside there is 1 only.
    expect(/^NSpid:\s+1$/m.test(seen)).toBe(true);
    const child = (pod as unknown as { container: { child: { pid: number } } }).container.child;
    const own = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim());
    process.kill(child.pid, 'SIGKILL');
    await eventually(() => !isAlive(own));
    expect(existsSync(directory)).toBe(true);
  });
});
