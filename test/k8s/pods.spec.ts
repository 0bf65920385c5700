import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommanderClient } from '../../src/sdk/commander-client.js';
import type { CommanderClientOptions } from '../../src/sdk/commander-client.options.js';
import { Certificates } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { TcpAgent } from '../support/fake-agent.js';
import { renderKustomization } from '../support/manifests/manifests.js';
import { Deployment } from '../support/pod/deployment.js';
import { Pod } from '../support/pod/pod.js';
import { describeWithPods } from '../support/pod/pod-machine.js';
import { PodService } from '../support/pod/pod-service.js';
import { type PodSpec, podSpec } from '../support/pod/pod-spec.js';
import { RedisServer } from '../support/redis-server.js';

const OVERLAYS = ['dev', 'production', 'small'];

describeWithPods('commander as a pod', () => {
  let redis: RedisServer;
  let certificates: Certificates;
  const opened: { stop(): Promise<unknown> }[] = [];

  beforeAll(async () => {
    redis = await RedisServer.start();
    certificates = await Certificates.create();
  });
  afterEach(async () => {
    for (const thing of opened.splice(0).reverse()) await thing.stop();
  });
  afterAll(async () => {
    await redis.stop();
    await certificates.remove();
  });

  const specOf = (overlay: string) => podSpec(renderKustomization(join(__dirname, '../../k8s/overlays', overlay)));

  function create(spec: PodSpec, env: Record<string, string> = {}): Pod {
    const caFile = readFileSync(certificates.caFile, 'utf8');
    const secrets = { 'commander-redis-tls': { 'ca.crt': caFile } };
    const pod = Pod.create(spec, { env: { REDIS_URL: redis.url, ...env }, secrets });
    opened.push({ stop: () => pod.delete() });
    return pod;
  }

  /** A Redis over TLS where the overlay names the CA of one. */
  async function redisUrlFor({ env }: PodSpec): Promise<string> {
    if (!env.REDIS_TLS_CA_FILE) return redis.url;
    const { certFile, keyFile, caFile } = certificates;
    const secured = await RedisServer.start({ tls: { certFile, keyFile, caFile } });
    opened.push(secured);
    return secured.url;
  }

  function client(to: { host?: string; port: number }, options: Partial<CommanderClientOptions> = {}): CommanderClient {
    const opening = new CommanderClient({ requestTimeoutMs: 20_000, ...to, ...options });
    opened.push({ stop: () => opening.close() });
    return opening;
  }

  async function agent(to: { host?: string; port: number; token?: string }, answerAfterMs = 0): Promise<TcpAgent> {
    const started = await TcpAgent.start({
      capacity: 1_000,
      handler: ({ job }) => new Promise((resolve) => setTimeout(resolve, answerAfterMs, job.payload)),
    });
    opened.push(started);
    await started.join(to);
    return started;
  }

  const commandAddress = (pod: Pod) => ({
    host: pod.ip,
    port: pod.spec.commandPort,
    token: pod.env.COMMANDER_TOKEN,
  });

  it.each(OVERLAYS)(
    'of overlay %s is ready before its startup probe gives up, serves, and ends with exit code 0',
    async (overlay) => {
      const spec = specOf(overlay);
      const { periodMs, failureThreshold } = spec.startupProbe!;
      const pod = create(spec, { REDIS_URL: await redisUrlFor(spec) });
      await pod.ready(periodMs * failureThreshold);
      expect(pod.events.map(({ what }) => what)).toEqual(['Started', 'Ready']);

      await agent(commandAddress(pod));
      const reply = await client(commandAddress(pod)).jobs.submit({ job: { name: 'job', payload: 7 }, wait: true });
      expect(reply.result).toBe(7);

      // It is what the manifest says, and reads its limit itself.
      const { memory } = (await pod.get('/diagnostics')).json<{ memory: { limitBytes: number } }>();
      expect(memory.limitBytes).toBe(spec.memoryLimitBytes);
      expect(pod.output()).toMatch(`"msg":"memory limit ${spec.memoryLimitBytes / 2 ** 20} MiB; `);
      const status = await pod.exec(['cat', '/proc/1/status']);
      expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).toBe(String(spec.uid));
      expect(/^CapEff:\s+(\w+)/m.exec(status)?.[1]).toBe('0000000000000000');
      const write = (path: string) => pod.exec(['sh', '-c', `echo x > ${path}`]);
      await expect(write('/app/dist/main.js')).rejects.toThrow(/Read-only file system/);
      await expect(write('/x')).rejects.toThrow(/Read-only file system/);
      await write('/tmp/x');
      await write('/var/lib/commander/x');

      expect(await pod.delete()).toMatchObject({ exitCode: 0, reason: 'Completed' });
    },
    120_000,
  );

  it('whose heap is left to V8 warns at its start, with the sum and the heap that would fit', async () => {
    const pod = create(specOf('dev'), { NODE_OPTIONS: '' });
    await pod.ready();
    const [warning] = pod
      .output()
      .split('\n')
      .filter((line) => line.includes('the kernel would kill this process before its heap is full'));
    expect(warning).toMatch(
      /"level":40,.*"msg":"memory limit 192 MiB, but [\d.]+ MiB at worst = heap \d+ \+ connections 30/,
    );
    // What it advises is not warned of.
    const [, advised] = /NODE_OPTIONS=\\"([^\\]+)\\" fits/.exec(warning!)!;
    const other = create(specOf('dev'), { NODE_OPTIONS: advised! });
    await other.ready();
    expect(other.output()).toContain('memory limit 192 MiB; ');
  }, 120_000);

  it('is unready while Redis is away, stays alive, is not restarted, and is ready again', async () => {
    const own = await RedisServer.start();
    opened.push(own);
    const pod = create(specOf('dev'), { REDIS_URL: own.url });
    await pod.ready();
    await own.kill();
    await eventually(() => !pod.isReady, { timeoutMs: 60_000 });
    expect(pod.events.at(-1)!.detail).toMatch(/readyz: 503 .*redis/);
    // As long as it would take the kubelet to kill a pod that is not alive, and longer.
    const { periodMs, failureThreshold } = pod.spec.livenessProbe!;
    const killedByMs = periodMs * (failureThreshold + 1);
    const awayFrom = Date.now();
    await eventually(
      async () => {
        expect((await pod.get('/livez')).status).toBe(200);
        expect((await pod.get('/readyz')).status).toBe(503);
        return Date.now() - awayFrom > killedByMs;
      },
      { timeoutMs: killedByMs + 30_000, intervalMs: 500 },
    );
    await own.restart();
    await eventually(() => pod.isReady, { timeoutMs: 60_000 });
    expect(pod.events.map(({ what }) => what)).toEqual(['Started', 'Ready', 'NotReady', 'Ready']);
    expect(pod.restartCount).toBe(0);
  }, 180_000);

  it('that is deleted still serves who connects during preStop, then drains, all within the grace period', async () => {
    const pod = create(specOf('dev'));
    await pod.ready();
    const worker = await agent(commandAddress(pod), 700);
    const asking = client(commandAddress(pod), { requestTimeoutMs: 20_000, maxRepeats: 0 });
    const deletedAt = Date.now();
    const deletion = pod.delete();
    await eventually(() => pod.events.some(({ what }) => what === 'Killing'));

    // A node that has not heard yet that the pod is out of the Service.
    const late = client(commandAddress(pod));
    expect((await late.jobs.submit({ job: { name: 'job', payload: 'late' }, wait: true })).result).toBe('late');

    // Always some under way, so also when SIGTERM comes.
    const isTold = () => pod.output().includes('SIGTERM: shutting down');
    const answered: unknown[] = [];
    const answeredAfterSigterm: unknown[] = [];
    const refused: unknown[] = [];
    const underWay: Promise<void>[] = [];
    while (!isTold()) {
      const payload = underWay.length;
      const submitted = asking.jobs.submit({ job: { name: 'job', payload }, wait: true }).then(
        () => (isTold() ? answeredAfterSigterm : answered).push(payload),
        (error: { code: string }) => refused.push([payload, error.code]),
      );
      underWay.push(submitted.then(() => undefined));
      await sleep(100);
    }
    expect(await deletion).toMatchObject({ exitCode: 0, reason: 'Completed' });
    await Promise.all(underWay);
    expect(answeredAfterSigterm.length).toBeGreaterThan(0);
    // What came too late was refused and not carried out; all else was carried out once.
    const executed = worker.executed.map(({ job }) => job.payload);
    expect(executed).toEqual(['late', ...answered, ...answeredAfterSigterm]);
    expect(answered.length + answeredAfterSigterm.length + refused.length).toBe(underWay.length);

    expect(Date.now() - deletedAt).toBeLessThan(pod.spec.graceMs);
    expect(pod.events.map(({ what }) => what)).toEqual(['Started', 'Ready', 'NotReady', 'Killing', 'Ended']);
  }, 120_000);

  it('is replaced by a rolling update, and no command is lost', async () => {
    const spec = { ...specOf('dev'), replicas: 2 };
    const service = await PodService.start();
    opened.push(service);
    const deployment = new Deployment(spec, { env: { REDIS_URL: redis.url } }, service);
    opened.push(deployment);
    await deployment.start();
    const [first] = deployment.pods;
    const address = { port: service.port, token: first!.env.COMMANDER_TOKEN };
    const worker = await agent(address, 300);
    const clients = Array.from({ length: 4 }, () => client(address, { requestTimeoutMs: 20_000 }));
    await clients[0]!.schedules.upsert({
      id: 'beside',
      everyMs: 500,
      overlap: 'allow',
      job: { name: 'job', payload: 'tick' },
    });

    let isUpdating = true;
    const submitted: string[] = [];
    const replies: unknown[] = [];
    const reads: unknown[] = [];
    const load = clients.map(async (asking, number) => {
      for (let round = 0; isUpdating; round++) {
        const payload = `${number}-${round}`;
        submitted.push(payload);
        const job = { name: 'job', payload };
        const [reply, schedule] = await Promise.all([
          asking.jobs.submit({ job, wait: true, idempotencyKey: payload }),
          asking.schedules.get({ id: 'beside' }),
        ]);
        replies.push(reply.result);
        reads.push(schedule.id);
      }
    });
    const updated = deployment.rollingUpdate().finally(() => (isUpdating = false));
    // A command that is lost fails here at once, with its reason.
    await Promise.all([updated, ...load]);

    expect(deployment.replaced.map(({ terminations }) => terminations[0])).toEqual([
      expect.objectContaining({ exitCode: 0, reason: 'Completed' }),
      expect.objectContaining({ exitCode: 0, reason: 'Completed' }),
    ]);
    expect(deployment.fewestReady).toBeGreaterThanOrEqual(spec.replicas);
    expect(submitted.length).toBeGreaterThan(50);
    expect([...replies].sort()).toEqual([...submitted].sort());
    expect(reads).toHaveLength(submitted.length);
    // Carried out once each: what was under way in an old pod was finished there.
    const executed = worker.executed.map(({ job }) => job.payload).filter((payload) => payload !== 'tick');
    expect([...executed].sort()).toEqual([...submitted].sort());
    // Nor is a due time of the schedule; one may be on its way while the next was here already.
    await clients[0]!.schedules.remove({ id: 'beside' });
    await eventually(async () => expect((await clients[0]!.system.stats({})).queue.dueCount).toBe(0));
    const ticks = worker.executed.filter(({ job }) => job.payload === 'tick').map(({ tickAt }) => tickAt!);
    const gaps = ticks
      .sort((one, other) => one - other)
      .map((tickAt, index) => tickAt - (ticks[index - 1] ?? tickAt - 500));
    expect(ticks.length).toBeGreaterThan(20);
    expect(new Set(gaps)).toEqual(new Set([500]));
  }, 180_000);
});
