import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { Service } from '../support/service.js';

let service: Service;
beforeEach(async () => {
  service = await Service.start({}, { redis: { appendOnly: true } });
});
afterEach(() => service.stop());

/** No tick comes in the middle of a test, also around midnight. */
const yearly = { cron: '0 0 1 1 *', startAt: '2090-01-01T00:00:00Z' };

/** A master that became a replica of nobody, and one that is full: both answer, and write nothing. */
const refusals: [string, string[], string[]][] = [
  ['READONLY', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
  ['OOM', ['CONFIG', 'SET', 'maxmemory', '1mb'], ['CONFIG', 'SET', 'maxmemory', '0']],
];

it.each(refusals)(
  'with %s a write is answered UNAVAILABLE and does not take effect later; reads are served',
  async (_name, refuse, serve) => {
    const client = service.client();
    const agent = await service.agent();
    await client.schedules.upsert({ id: 'before', ...yearly, job: { name: 'job' } });
    await client.jobs.submit({ job: { name: 'job' }, wait: true });
    await service.redis.cli(...refuse);

    const deadline = { deadlineMs: 1_500 };
    for (let round = 0; round < 20; round += 1) {
      const writes = [
        client.jobs.submit({ job: { name: 'job' } }, deadline),
        client.schedules.upsert({ id: `during-${round}`, ...yearly, job: { name: 'job' } }, deadline),
      ];
      for (const write of writes) await expect(write).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    }
    await eventually(() => expect(client.schedules.get({ id: 'before' }, deadline)).resolves.toBeDefined());

    await service.redis.cli(...serve);
    await eventually(() => client.jobs.submit({ job: { name: 'job', payload: 'after' }, wait: true }, deadline));
    const { items } = await client.schedules.list({});
    expect(items.map(({ id }) => id)).toEqual(['before']);
    expect(agent.executed.map(({ job }) => job.payload).filter((payload) => payload !== 'after')).toHaveLength(1);
  },
  90_000,
);

it('a Redis that stays read-only is dialled again now and then, not with every answer', async () => {
  const client = service.client();
  await client.jobs.submit({ job: { name: 'job' } });
  // Those of all kinds; of what is counted in bytes the number is a guess from a few samples, thousands to either side.
  const alive = async () => {
    const { kinds } = await client.diagnostics.groups({});
    return kinds.reduce((sum, { live, liveBytes }) => sum + (liveBytes === undefined ? live : 0), 0);
  };
  const before = await alive();
  await service.redis.cli('REPLICAOF', '127.0.0.1', '1');
  const dialled = async () =>
    Number(/total_connections_received:(\d+)/.exec(await service.redis.cli('INFO', 'stats'))![1]);
  const dialledBefore = await dialled();
  const startedAt = performance.now();
  while (performance.now() - startedAt < 6_000) {
    const writes = Array.from({ length: 20 }, (_, number) =>
      client.schedules.upsert({ id: `s-${number}`, ...yearly, job: { name: 'job' } }, { deadlineMs: 500 }),
    );
    await Promise.allSettled(writes);
    await sleep(20);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  // Two connections, each at most twice a second, and those of redis-cli.
  expect((await dialled()) - dialledBefore).toBeLessThan(seconds * 4 + 10);
  expect((await alive()) - before).toBeLessThan(50);
}, 60_000);
