import { eventually } from '../support/eventually.js';
import { Service } from '../support/service.js';

let service: Service;
beforeAll(async () => {
  service = await Service.start({ RUN_LOCK_MS: '1000' });
});
afterAll(() => service.stop());

/** Deletes everything that the engine keeps, as an operator's mistake or an eviction would. */
async function deleteEngineJobs(): Promise<void> {
  const keys = (await service.redis.cli('keys', '{commander}:engine:*')).split('\n').filter((key) => key !== '');
  if (keys.length > 0) await service.redis.cli('del', ...keys);
}

it('a run whose engine job was deleted before it began comes due again, and is counted as a repair', async () => {
  const crowded = await Service.start({ MAX_CONCURRENT_RUNS: '1' });
  try {
    const client = crowded.client();
    let release: () => void = () => undefined;
    const agent = await crowded.agent({
      handler: ({ job }) =>
        job.payload === 'blocker' ? new Promise((resolve) => (release = () => resolve('free'))) : 'ok',
    });
    await client.jobs.submit({ job: { name: 'job', payload: 'blocker' } });
    await eventually(() => agent.activeCount === 1);
    const { runId } = await client.jobs.submit({ job: { name: 'job', payload: 'waiting' } });
    expect(await crowded.redis.cli('llen', '{commander}:engine:wait')).toBe('1');
    await crowded.redis.cli('del', '{commander}:engine:wait', `{commander}:engine:default~${runId}~1`);
    release();
    await eventually(async () => expect((await client.runs.get({ runId })).state).toBe('succeeded'), {
      timeoutMs: 20_000,
    });
    expect((await client.system.stats({})).repairs.totalCount).toBe(1);
    expect(agent.executeCount).toBe(2);
  } finally {
    await crowded.stop();
  }
}, 60_000);

it('a run that was under way when its replica was killed and its engine job deleted is executed again', async () => {
  const namespace = 'running';
  const victim = await service.addReplica();
  const survivor = service.client({ namespace });
  const agent = await service.agent(
    { handler: () => new Promise((resolve) => setTimeout(resolve, 600, 'done')) },
    undefined,
    namespace,
  );
  const submitted = await Promise.all(
    Array.from({ length: 20 }, () =>
      // Whoever waited for that to pass would wait an hour.
      service.client({ namespace }, victim).jobs.submit({ job: { name: 'job' }, timeoutMs: 3_600_000 }),
    ),
  );
  await eventually(() => agent.activeCount >= 5);
  await victim.kill();
  await deleteEngineJobs();
  await eventually(
    async () => {
      for (const { runId } of submitted) expect((await survivor.runs.get({ runId })).state).toBe('succeeded');
    },
    { timeoutMs: 45_000, intervalMs: 200 },
  );
  expect((await survivor.system.stats({})).repairs.totalCount).toBeGreaterThan(0);
}, 90_000);

it.each([
  ['began where it was submitted', '50'],
  ['came by the engine', '1'],
])(
  'a run that %s is taken over with the only place of its agent, long before its timeout',
  async (_how, places) => {
    const pair = await Service.start({ RUN_LOCK_MS: '1000', MAX_CONCURRENT_RUNS: places }, { replicas: 2 });
    try {
      const agent = await pair.agent({
        capacity: 1,
        handler: ({ epoch }) => (epoch === 1 ? new Promise(() => undefined) : `epoch ${epoch}`),
      });
      const job = { job: { name: 'job' }, timeoutMs: 3_600_000 };
      const { runId } = await pair.client().jobs.submit(job);
      await eventually(() => agent.activeCount === 1);
      const dispatched = await Promise.all(
        pair.replicas.map(async (replica) => (await pair.client({}, replica).system.stats({})).dispatch.totalCount),
      );
      const owner = dispatched.indexOf(1);
      const heir = pair.replicas[1 - owner];
      // Its agent must not lose sight of the service with the replica that it joined.
      await agent.leave({ deregister: false });
      await agent.join({ port: heir.tcpPort });
      await pair.replicas[owner].kill();
      const survivor = pair.client({}, heir);
      await eventually(
        async () => expect(await survivor.runs.get({ runId })).toMatchObject({ state: 'succeeded', attempt: 1 }),
        { timeoutMs: 45_000, intervalMs: 200 },
      );
    } finally {
      await pair.stop();
    }
  },
  90_000,
);

it('a schedule goes on when everything of the engine was deleted', async () => {
  const namespace = 'schedule';
  const client = service.client({ namespace });
  const agent = await service.agent({}, undefined, namespace);
  await client.schedules.upsert({ id: 'goes-on', everyMs: 250, job: { name: 'job' } });
  await eventually(() => agent.executeCount >= 3);
  await deleteEngineJobs();
  const before = agent.executeCount;
  await eventually(() => agent.executeCount >= before + 5);
  await client.schedules.remove({ id: 'goes-on' });
}, 60_000);
