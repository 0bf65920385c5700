import { eventually } from '../support/eventually.js';
import { Service } from '../support/service.js';

const OPEN_COUNT = 300;

it('a run that ends others begins when they have ended, by the records, also when there are many of them', async () => {
  const service = await Service.start({ MAX_CONCURRENT_RUNS: '1000', LOG_LEVEL: 'warn' });
  try {
    const client = service.client({ requestTimeoutMs: 20_000 });
    const agent = await service.agent({
      capacity: 2_000,
      handler: (_request, { signal }) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(null))),
    });
    const spec = { id: 'many', cron: '0 0 1 1 *', job: { name: 'job' } };
    await client.schedules.upsert({ ...spec, overlap: 'allow' });
    await Promise.all(Array.from({ length: OPEN_COUNT }, () => client.schedules.trigger({ id: 'many' })));
    await eventually(() => agent.activeCount === OPEN_COUNT);

    await client.schedules.upsert({ ...spec, overlap: 'cancel-previous' });
    const { runId } = await client.schedules.trigger({ id: 'many' });
    const { startedAt } = await eventually(async () => {
      const run = await client.runs.get({ runId });
      return run.state === 'running' && run;
    });
    const { items } = await client.runs.list({ scheduleId: 'many', state: 'cancelled', limit: 500 });
    expect(items.length).toBeGreaterThan(100);
    expect(items.filter(({ finishedAt }) => finishedAt! > startedAt!)).toEqual([]);
  } finally {
    await service.stop();
  }
}, 60_000);
