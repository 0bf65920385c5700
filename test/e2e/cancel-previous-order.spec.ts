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

it('of ticks that are caught up together only the last one begins, and the places of the others are free', async () => {
  const service = await Service.start();
  try {
    const client = service.client();
    const agent = await service.agent({
      capacity: 20,
      handler: (_request, { signal }) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(null))),
    });
    // The declaration has to be there before the first tick.
    const startAt = Date.now() + 2_000;
    const timing = { startAt, everyMs: 100, maxRuns: 20, misfire: 'all' } as const;
    await client.schedules.upsert({ id: 'backlog', ...timing, overlap: 'cancel-previous', job: { name: 'job' } });
    await client.schedules.pause({ id: 'backlog' });
    // What was fired until then is no part of it.
    const before = new Set((await client.runs.list({ scheduleId: 'backlog' })).items.map(({ runId }) => runId));
    const lastTickAt = startAt + timing.everyMs * (timing.maxRuns - 1);
    await eventually(() => Date.now() > lastTickAt + 100);
    await client.schedules.resume({ id: 'backlog', catchUp: true });

    const last = `backlog@${lastTickAt}`;
    await eventually(async () => expect((await client.runs.get({ runId: last })).state).toBe('running'));
    const { items } = await client.runs.list({ scheduleId: 'backlog', limit: 100 });
    const together = items.filter(({ runId }) => !before.has(runId));
    expect(together.length).toBeGreaterThan(1);
    expect(together.filter(({ state }) => state === 'cancelled')).toHaveLength(together.length - 1);
    await eventually(() => agent.executed.some(({ runId }) => runId === last));
    expect(agent.executed.filter(({ runId }) => !before.has(runId)).map(({ runId }) => runId)).toEqual([last]);
    await eventually(async () => expect((await client.agents.list({})).items).toMatchObject([{ inFlight: 1 }]));
    expect(agent.activeCount).toBe(1);
  } finally {
    await service.stop();
  }
}, 60_000);
