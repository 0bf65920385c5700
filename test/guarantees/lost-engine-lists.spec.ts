import { eventually } from '../support/eventually.js';
import { Service } from '../support/service.js';

it('a run whose engine job is in no list of the engine any more comes due again, and is counted as a repair', async () => {
  const service = await Service.start({ MAX_CONCURRENT_RUNS: '1' });
  try {
    const client = service.client();
    let release: () => void = () => undefined;
    const agent = await service.agent({
      handler: ({ job }) =>
        job.payload === 'blocker' ? new Promise((resolve) => (release = () => resolve('free'))) : 'ok',
    });
    await client.jobs.submit({ job: { name: 'job', payload: 'blocker' } });
    await eventually(() => agent.activeCount === 1);
    const { runId } = await client.jobs.submit({ job: { name: 'job', payload: 'waiting' } });
    await service.redis.cli('del', '{commander}:engine:wait');
    expect(await service.redis.cli('exists', `{commander}:engine:default~${runId}~1`)).toBe('1');
    release();
    await eventually(async () => expect((await client.runs.get({ runId })).state).toBe('succeeded'), {
      timeoutMs: 20_000,
    });
    expect((await client.system.stats({})).repairs.totalCount).toBe(1);
    expect(agent.executeCount).toBe(2);
  } finally {
    await service.stop();
  }
}, 60_000);

it('a run that waits in the engine for longer than its hand-over may take is not handed over a second time', async () => {
  const service = await Service.start({ MAX_CONCURRENT_RUNS: '1' });
  try {
    const client = service.client();
    const agent = await service.agent({
      handler: ({ job }) =>
        job.payload === 'blocker' ? new Promise((resolve) => setTimeout(resolve, 8_000, 'free')) : 'ok',
    });
    await client.jobs.submit({ job: { name: 'job', payload: 'blocker' } });
    await eventually(() => agent.activeCount === 1);
    const { runId } = await client.jobs.submit({ job: { name: 'job', payload: 'waiting' } });
    await eventually(async () => expect((await client.runs.get({ runId })).state).toBe('succeeded'), {
      timeoutMs: 20_000,
    });
    expect((await client.system.stats({})).repairs.totalCount).toBe(0);
    expect(agent.executeCount).toBe(2);
  } finally {
    await service.stop();
  }
}, 60_000);

it('a run whose engine job was emptied while its replica died is executed again', async () => {
  const service = await Service.start({ RUN_LOCK_MS: '1000' }, { replicas: 2 });
  try {
    const [survivor, victim] = service.replicas;
    const client = service.client({}, survivor);
    const agent = await service.agent({
      handler: () => new Promise((resolve) => setTimeout(resolve, 2_000, 'done')),
    });
    const submitted = await Promise.all(
      Array.from({ length: 10 }, () => client.jobs.submit({ job: { name: 'job' }, timeoutMs: 30_000 })),
    );
    await eventually(() => agent.activeCount === 10);
    // The lists of the engine still name the jobs, but nothing is left of them.
    for (const { runId } of submitted) await service.redis.cli('del', `{commander}:engine:default~${runId}~1`);
    await victim.kill();
    await eventually(
      async () => {
        for (const { runId } of submitted) expect((await client.runs.get({ runId })).state).toBe('succeeded');
      },
      { timeoutMs: 45_000, intervalMs: 200 },
    );
  } finally {
    await service.stop();
  }
}, 90_000);
