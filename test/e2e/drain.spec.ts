import { eventually } from '../support/eventually.js';
import { httpGet } from '../support/http-get.js';
import { Service } from '../support/service.js';

let service: Service;
const start = async (drainTimeoutMs = 12_000) => {
  service = await Service.start({ DRAIN_TIMEOUT_MS: String(drainTimeoutMs), SHUTDOWN_TIMEOUT_MS: '20000' });
};
afterEach(() => service.stop());

/** Ids of the jobs that the engine believes to be under way. */
const activeJobs = () => service.redis.cli('lrange', '{commander}:engine:active', '0', '-1');

it('a run under way at SIGTERM is finished, its caller answered, and no engine job is left active', async () => {
  await start();
  const [replica] = service.replicas;
  const agent = await service.agent({ handler: () => new Promise((resolve) => setTimeout(resolve, 700, 'finished')) });
  const waiting = service.client({ requestTimeoutMs: 10_000 }).jobs.submit({ job: { name: 'job' }, wait: true });
  await eventually(() => agent.activeCount === 1);
  replica.signal('SIGTERM');
  await expect(waiting).resolves.toMatchObject({ result: 'finished' });
  expect(await replica.exited).toEqual({ code: 0, signal: null });
  expect(await activeJobs()).toBe('');
});

it('a run that outlasts the drain is put back, and another replica finishes it under the same key', async () => {
  await start(1_000);
  const [replica] = service.replicas;
  let release: (value: string) => void = () => undefined;
  const agent = await service.agent({ capacity: 5, handler: () => new Promise((resolve) => (release = resolve)) });
  const { runId } = await service.client().jobs.submit({ job: { name: 'job' }, timeoutMs: 60_000 });
  await eventually(() => agent.executeCount === 1);
  replica.signal('SIGTERM');
  expect(await replica.exited).toEqual({ code: 0, signal: null });
  expect(await activeJobs()).toBe('');
  expect(await service.redis.cli('hget', `{commander}:run:default:${runId}`, 'state')).toBe('waiting');

  const heir = await service.addReplica();
  await agent.leave({ deregister: false });
  await agent.join({ port: heir.tcpPort });
  await eventually(() => agent.executeCount === 2, { timeoutMs: 15_000 });
  release('in the end');
  const client = service.client({}, heir);
  await eventually(async () => expect((await client.runs.get({ runId })).state).toBe('succeeded'));
  const [first, second] = agent.executed;
  expect(second.idempotencyKey).toBe(first.idempotencyKey);
  expect(second.attempt).toBe(first.attempt);
  expect(second.epoch).toBeGreaterThan(first.epoch);
}, 60_000);

it('a replica that is told to stop takes no new run while others do', async () => {
  await start();
  const [leaving] = service.replicas;
  const staying = await service.addReplica();
  const agent = await service.agent(
    { capacity: 100, handler: () => new Promise((resolve) => setTimeout(resolve, 300, 'ok')) },
    staying,
  );
  const client = service.client({ requestTimeoutMs: 20_000 }, staying);
  const submit = () => client.jobs.submit({ job: { name: 'job' }, wait: true });
  const before = Array.from({ length: 20 }, submit);
  await eventually(() => agent.activeCount > 5);
  leaving.signal('SIGTERM');
  const during = Array.from({ length: 20 }, submit);
  expect(await leaving.exited).toEqual({ code: 0, signal: null });
  const replies = await Promise.all([...before, ...during]);
  expect(replies.map(({ result }) => result)).toEqual(Array.from({ length: 40 }, () => 'ok'));
  // Nothing was executed twice on the way.
  expect(agent.executeCount).toBe(40);
});

it('whoever waits for a run that has not begun when its only replica is told to stop gets its result', async () => {
  await start();
  const [replica] = service.replicas;
  const crowded = await service.addReplica({ MAX_CONCURRENT_RUNS: '2' });
  replica.signal('SIGTERM');
  expect(await replica.exited).toEqual({ code: 0, signal: null });
  const agent = await service.agent(
    { capacity: 10, handler: ({ job }) => new Promise((resolve) => setTimeout(resolve, 300, job.payload)) },
    crowded,
  );
  const client = service.client({ requestTimeoutMs: 10_000 }, crowded);
  const waiting = Array.from({ length: 6 }, (_, index) =>
    client.jobs.submit({ job: { name: 'job', payload: index }, wait: true }),
  );
  await eventually(async () => expect((await client.runs.list({})).items).toHaveLength(6));
  crowded.signal('SIGTERM');
  expect((await Promise.all(waiting)).map(({ result }) => result)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(await crowded.exited).toEqual({ code: 0, signal: null });
  expect(agent.executeCount).toBe(6);
});

it('whoever waits for a run that is retried while its only replica stops gets its result', async () => {
  await start();
  const [replica] = service.replicas;
  const agent = await service.agent({
    handler: ({ attempt }) => {
      if (attempt === 1) throw new Error('not yet');
      return attempt;
    },
  });
  const waiting = service.client({ requestTimeoutMs: 10_000 }).jobs.submit({
    job: { name: 'job' },
    retry: { maxAttempts: 2, backoff: 'fixed', delayMs: 700 },
    wait: true,
  });
  await eventually(() => agent.executeCount === 1);
  replica.signal('SIGTERM');
  await expect(waiting).resolves.toMatchObject({ result: 2 });
  expect(await replica.exited).toEqual({ code: 0, signal: null });
});

it('runs that a replica begins for its callers while it stops are not begun by another one as well', async () => {
  const settings = { DRAIN_TIMEOUT_MS: '60000', SHUTDOWN_TIMEOUT_MS: '90000', MAX_CONCURRENT_RUNS: '2' };
  service = await Service.start(settings, { replicas: 2 });
  const [leaving, staying] = service.replicas;
  const held: (() => void)[] = [];
  const agent = await service.agent(
    { capacity: 100, handler: ({ job }) => new Promise((resolve) => held.push(() => resolve(job.payload))) },
    staying,
  );
  const client = service.client({ requestTimeoutMs: 80_000 }, leaving);
  const steady = service.client({}, staying);
  await eventually(async () => expect((await client.system.stats({})).replicaCount).toBe(2));
  // Two at each replica.
  await Promise.all(Array.from({ length: 4 }, () => client.jobs.submit({ job: { name: 'job' } })));
  await eventually(() => agent.activeCount === 4);
  const waiting = Promise.all(
    Array.from({ length: 8 }, (_, payload) =>
      client.jobs.submit({ job: { name: 'job', payload }, wait: true, deadlineMs: 80_000 }),
    ),
  );
  // No place came free here, so all of them went where another replica may have one.
  await eventually(async () => expect((await steady.system.stats({})).queue.waitingCount).toBe(8));
  leaving.signal('SIGTERM');
  await eventually(async () => expect((await httpGet(`${leaving.httpUrl}/readyz`)).status).toBe(503));
  for (const release of held.splice(0)) release();
  // Both replicas begin what they can; then one place after the other comes free.
  for (let left = 8; left > 0; left -= 1) {
    await eventually(() => expect(held.length).toBeGreaterThanOrEqual(Math.min(4, left)));
    held.shift()?.();
  }
  expect((await waiting).map(({ result }) => result)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(await leaving.exited).toEqual({ code: 0, signal: null });
  await eventually(async () => expect((await steady.system.stats({})).queue.dueCount).toBe(0));
  expect(agent.executeCount).toBe(12);
}, 120_000);
