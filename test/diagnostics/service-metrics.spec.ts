import { createConnection, type Socket } from 'node:net';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { httpGet } from '../support/http-get';
import { eventually } from '../support/eventually';
import { readScrape } from '../support/manifests/scrape';
import { Service } from '../support/service';

const MAX_CONNECTIONS = 6;
const PLACES = 2;
/** More than may wait here, which are sixty for each place. */
const CROWD = 60 * PLACES + 40;
/** Looks at the due index this rarely: what is written behind its back stays there for the test to see. */
const TICK_POLL_EVERY_MS = 60_000;

describe('what the service tells Prometheus of its work', () => {
  let service: Service;
  beforeEach(async () => {
    service = await Service.start({
      MAX_CONNECTIONS: String(MAX_CONNECTIONS),
      MAX_CONCURRENT_RUNS: String(PLACES),
      TICK_POLL_EVERY_MS: String(TICK_POLL_EVERY_MS),
      LATE_AFTER_MS: '500',
    });
  });
  afterEach(() => service.stop());

  /** One value of a scrape; undefined when it is absent. */
  async function metric(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
    const { text, status } = await httpGet(`http://127.0.0.1:${service.replicas[0]!.httpPort}/metrics`);
    expect(status).toBe(200);
    const found = readScrape(text)
      .get(name)
      ?.filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value));
    expect(found?.length ?? 0).toBeLessThanOrEqual(1);
    return found?.[0]?.value;
  }

  it('whether it takes work, and what keeps it from it', async () => {
    await eventually(async () => expect(await metric('mu_ready')).toBe(1));
    expect(await metric('mu_ready_check', { check: 'redis' })).toBe(1);
    service.redis.freeze();
    try {
      await eventually(async () => expect(await metric('mu_ready')).toBe(0));
      expect(await metric('mu_ready_check', { check: 'redis' })).toBe(0);
      expect(await metric('mu_ready_check', { check: 'engine' })).toBe(1);
      // What only Redis knows is absent, and what this process knows is not.
      expect(await metric('mu_queue_runs', { state: 'waiting' })).toBeUndefined();
      expect(await metric('mu_tcp_connections_limit')).toBe(MAX_CONNECTIONS);
    } finally {
      service.redis.thaw();
    }
    await eventually(async () => expect(await metric('mu_ready')).toBe(1));
    await eventually(async () => expect(await metric('mu_queue_runs', { state: 'waiting' })).toBe(0));
  });

  it('its connections against their limit, those refused, and commands with their errors', async () => {
    const client = service.client();
    await expect(client.runs.get({ runId: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await metric('mu_command_errors_total', { code: 'NOT_FOUND' })).toBe(1);
    expect(await metric('mu_command_errors_total', { code: 'INTERNAL' })).toBe(0);
    expect(await metric('mu_commands_total')).toBe(1);
    expect(await metric('mu_tcp_connections')).toBe(1);
    expect(await metric('mu_tcp_connections_refused_total')).toBe(0);
    const sockets: Socket[] = [];
    try {
      for (let count = 1; count < MAX_CONNECTIONS; count += 1) {
        sockets.push(createConnection(service.replicas[0]!.tcpPort, '127.0.0.1'));
      }
      await eventually(async () => expect(await metric('mu_tcp_connections')).toBe(MAX_CONNECTIONS));
      const refused = createConnection(service.replicas[0]!.tcpPort, '127.0.0.1').on('error', () => undefined);
      sockets.push(refused);
      await once(refused, 'close');
      expect(await metric('mu_tcp_connections_refused_total')).toBe(1);
      expect(await metric('mu_tcp_connections')).toBe(MAX_CONNECTIONS);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  it('runs that wait, here and in the engine, and those dispatched', async () => {
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    await service.agent({ capacity: 200, handler: () => released });
    const client = service.client();
    try {
      const submit = (count: number) =>
        Promise.all(Array.from({ length: count }, () => client.jobs.submit({ job: { name: 'job' } })));
      await submit(PLACES);
      await eventually(async () => expect(await metric('mu_runs_dispatched_total')).toBe(PLACES));
      await submit(CROWD);
      await eventually(async () => {
        const here = (await metric('mu_runs_waiting_here'))!;
        const waiting = (await metric('mu_queue_runs', { state: 'waiting' }))!;
        expect(here).toBeGreaterThan(0);
        expect(waiting).toBeGreaterThan(0);
        expect(here + waiting).toBeGreaterThanOrEqual(CROWD - PLACES);
      });
    } finally {
      release();
    }
    await eventually(async () => expect(await metric('mu_runs_dispatched_total')).toBe(CROWD + PLACES));
    expect(await metric('mu_queue_runs', { state: 'waiting' })).toBe(0);
    expect(await metric('mu_runs_waiting_here')).toBe(0);
  });

  it('that runs find no agent', async () => {
    await service.agent();
    await service.client().jobs.submit({ job: { name: 'nobody-does-this' } });
    await eventually(async () => expect(await metric('mu_runs_without_agent_total')).toBeGreaterThan(1));
    expect(await metric('mu_runs_dispatched_total')).toBe(0);
  });

  it('what is due and claimed by nobody', async () => {
    const redis = new Redis(service.redis.url);
    try {
      await eventually(async () => expect(await metric('mu_overdue')).toBe(0));
      expect(await metric('mu_overdue_seconds')).toBe(0);
      await service.client().schedules.upsert({ id: 'far', at: '2090-01-01T00:00:00Z', job: { name: 'job' } });
      const [index] = await redis.keys('*:due');
      await redis.zadd(index!, Date.now() - 5_000, 's|default|lost', Date.now() - 3_000, 's|default|lost-too');
      expect(await metric('mu_overdue')).toBe(2);
      expect(await metric('mu_overdue_seconds')).toBeGreaterThanOrEqual(4.9);
    } finally {
      redis.disconnect();
    }
  });

  it('how late ticks were claimed', async () => {
    await service.agent();
    await service.client().schedules.upsert({ id: 'often', everyMs: 250, job: { name: 'job' } });
    await eventually(async () => expect(await metric('mu_ticks_total')).toBeGreaterThan(2));
    const { pid } = service.replicas[0]!;
    const lateBefore = (await metric('mu_ticks_late_total'))!;
    const latenessBefore = (await metric('mu_tick_lateness_seconds_total'))!;
    process.kill(pid, 'SIGSTOP');
    try {
      // Long enough that the tick which comes due meanwhile is late by LATE_AFTER_MS, whatever else runs here.
      await new Promise((resolve) => setTimeout(resolve, 1_200));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await eventually(async () => {
      expect(await metric('mu_ticks_late_total')).toBeGreaterThan(lateBefore);
      expect((await metric('mu_tick_lateness_seconds_total'))! - latenessBefore).toBeGreaterThanOrEqual(0.5);
    });
  });
});
