import { eventually } from '../support/eventually.js';
import { Service } from '../support/service.js';

let service: Service;
beforeAll(async () => {
  service = await Service.start({ MAX_CONCURRENT_RUNS: '1' }, { replicas: 2 });
});
afterAll(() => service.stop());

/** Jobs: `hold` until released, `fail`, anything else succeeds. */
async function setting(namespace: string) {
  const aborted: string[] = [];
  const held: (() => void)[] = [];
  const agent = await service.agent(
    {
      capacity: 20,
      handler: ({ runId, job }, { signal }) => {
        signal.addEventListener('abort', () => aborted.push(runId), { once: true });
        if (job.payload === 'fail') throw new Error('not this time');
        return job.payload === 'hold' ? new Promise((resolve) => held.push(() => resolve('late'))) : 'ok';
      },
    },
    undefined,
    namespace,
  );
  const clients = service.replicas.map((replica) => service.client({ namespace }, replica));
  const submit = async (payload: string, more: object = {}) =>
    (await clients[0].jobs.submit({ job: { name: 'job', payload }, ...more })).runId;
  return { agent, aborted, held, clients, submit };
}

type Setting = Awaited<ReturnType<typeof setting>>;

/** How long a run that waits for a time waits for it: longer than a slow machine needs to cancel it. */
const WAIT_MS = 3_000;

/** Brings a run of each kind about; `free` lets go of what was needed for it. */
const states: Record<string, (at: Setting) => Promise<{ runId: string; free: () => void; waitMs?: number }>> = {
  'waits for a place at a replica': async ({ agent, submit, held }) => {
    // Each replica has one place.
    for (const count of [1, 2]) {
      await submit('hold');
      await eventually(() => agent.activeCount === count);
    }
    const runId = await submit('ok');
    return { runId, free: () => held.forEach((release) => release()) };
  },
  'waits for an agent': async ({ clients, submit }) => {
    const runId = await submit('ok', { route: { strategy: 'random', labels: { region: 'nowhere' } } });
    await eventually(async () => expect((await clients[0].runs.get({ runId })).error?.code).toBe('NO_AGENT'));
    return { runId, free: () => undefined };
  },
  'is delayed': async ({ submit }) => ({
    ...{ runId: await submit('ok', { delayMs: WAIT_MS }), free: () => undefined },
    waitMs: WAIT_MS,
  }),
  'waits for its retry': async ({ clients, submit }) => {
    const runId = await submit('fail', { retry: { maxAttempts: 3, backoff: 'fixed', delayMs: WAIT_MS } });
    await eventually(async () => expect((await clients[0].runs.get({ runId })).state).toBe('retrying'));
    return { runId, free: () => undefined, waitMs: WAIT_MS };
  },
  'is running': async ({ agent, submit, held }) => {
    const runId = await submit('hold');
    await eventually(() => agent.activeCount === 1);
    return { runId, free: () => held.forEach((release) => release()) };
  },
};

describe.each(Object.entries(states))('a run that %s', (name, bring) => {
  it.each([0, 1])(
    'is cancelled by replica %i, for good',
    async (replica) => {
      const at = await setting(`${name.replaceAll(' ', '-')}-${replica}`);
      const { runId, free, waitMs = 500 } = await bring(at);
      const before = (await at.clients[0].runs.get({ runId })).state;
      const executedBefore = at.agent.executed.filter((request) => request.runId === runId).length;
      expect(await at.clients[replica].runs.cancel({ runId })).toEqual({ state: 'cancelled' });
      if (before === 'running') await eventually(() => at.aborted.includes(runId));
      free();
      // Longer than what it waited for.
      await new Promise((resolve) => setTimeout(resolve, waitMs + 500));
      for (const client of at.clients) {
        const run = await client.runs.get({ runId });
        expect(run).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } });
        expect(run.result).toBeUndefined();
      }
      expect(at.agent.executed.filter((request) => request.runId === runId)).toHaveLength(executedBefore);
      // Its place at the replica and at the agent is free.
      await expect(at.clients[0].jobs.submit({ job: { name: 'job' }, wait: true })).resolves.toMatchObject({
        result: 'ok',
      });
      await eventually(async () => {
        const { items } = await at.clients[0].agents.list({});
        expect(items).toMatchObject([{ inFlight: 0 }]);
      });
    },
    60_000,
  );
});

it('each attempt of a run has its timeout: the agent is told, the last one ends it, a late answer changes nothing', async () => {
  const { agent, aborted, held, clients, submit } = await setting('timeout');
  const runId = await submit('hold', { timeoutMs: 1_000, retry: { maxAttempts: 2, backoff: 'fixed', delayMs: 2_000 } });
  await eventually(async () => expect((await clients[1].runs.get({ runId })).state).toBe('retrying'));
  await eventually(() => expect(aborted).toEqual([runId]));
  // An answer to the first attempt while the run waits for the second.
  held[0]();
  await eventually(async () => expect((await clients[1].runs.get({ runId })).state).toBe('timed-out'));
  await eventually(() => expect(aborted).toEqual([runId, runId]));
  held[1]();
  await expect(clients[0].jobs.submit({ job: { name: 'job' }, wait: true })).resolves.toMatchObject({ result: 'ok' });
  const run = await clients[1].runs.get({ runId });
  expect(run).toMatchObject({ state: 'timed-out', attempt: 2, error: { code: 'DEADLINE_EXCEEDED' } });
  expect(run.result).toBeUndefined();
  expect(agent.executed.filter((request) => request.runId === runId).map(({ epoch }) => epoch)).toEqual([1, 2]);
});

it('a cancel that meets the beginning of its run reaches the agent', async () => {
  // One place for the engine's runs, one for those that begin where they are made.
  const alone = await Service.start({ MAX_CONCURRENT_RUNS: '2' });
  try {
    const client = alone.client();
    let release: () => void = () => undefined;
    const agent = await alone.agent({
      handler: ({ job }, { signal }) =>
        new Promise((resolve) => {
          if (job.payload === 'blocker') release = () => resolve('free');
          signal.addEventListener('abort', () => resolve('aborted'), { once: true });
        }),
    });
    await eventually(async () => expect((await client.system.stats({})).replicaCount).toBe(1));
    await client.jobs.submit({ job: { name: 'job', payload: 'blocker' } });
    await eventually(() => agent.activeCount === 1);
    const { runId } = await client.jobs.submit({ job: { name: 'job' } });
    // The replica reads the run for the cancel; before Redis says that it waits, the run before it ends and lets it begin.
    alone.redis.freeze();
    const cancelled = client.runs.cancel({ runId });
    await expect(client.runs.get({ runId: '' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    release();
    await eventually(() => agent.activeCount === 0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    alone.redis.thaw();
    expect(await cancelled).toEqual({ state: 'cancelled' });
    const { state, startedAt } = await client.runs.get({ runId });
    expect(state).toBe('cancelled');
    // On a slow machine the cancel may have been first.
    if (startedAt !== undefined) await eventually(() => expect(agent.cancelled).toMatchObject([{ runId }]));
    await eventually(() => expect(agent.activeCount).toBe(0));
  } finally {
    alone.redis.thaw();
    await alone.stop();
  }
}, 60_000);

it('a schedule is removed with its runs though one of them is forgotten meanwhile', async () => {
  const namespace = 'removed';
  const client = service.client({ namespace });
  await client.schedules.upsert({
    ...{ id: 'gone', cron: '0 0 1 1 *', job: { name: 'job' } },
    route: { strategy: 'random', labels: { region: 'nowhere' } },
  });
  const { runId: older } = await client.schedules.trigger({ id: 'gone' });
  const { runId: newer } = await client.schedules.trigger({ id: 'gone' });
  // The end of the newer one forgets the older one, which was read as open: as if it had ended long ago.
  await service.redis.cli('zadd', `{commander}:runs-of:${namespace}:gone`, '1', older);
  await service.redis.cli('zadd', `{commander}:ended-of:${namespace}:gone`, '1', older);
  expect(await client.schedules.remove({ id: 'gone', cancelRunning: true })).toEqual({ removed: true });
  expect(await client.runs.get({ runId: newer })).toMatchObject({ state: 'cancelled' });
  await expect(client.runs.get({ runId: older })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('of runs that wait for a place the one with the first priority begins first, and without one before all', async () => {
  const alone = await Service.start({ MAX_CONCURRENT_RUNS: '1' });
  try {
    const order: unknown[] = [];
    let release: () => void = () => undefined;
    await alone.agent({
      handler: ({ job }) => {
        if (job.payload === 'blocker') return new Promise((resolve) => (release = () => resolve('free')));
        order.push(job.payload);
        return 'ok';
      },
    });
    const client = alone.client();
    await client.jobs.submit({ job: { name: 'job', payload: 'blocker' } });
    await eventually(async () => expect((await client.runs.list({ state: 'running' })).items).toHaveLength(1));
    for (const priority of [7, 2, 10, 1, undefined]) {
      await client.jobs.submit({ job: { name: 'job', payload: priority ?? 'none' }, priority });
    }
    release();
    await eventually(() => order.length === 5);
    expect(order).toEqual(['none', 1, 2, 7, 10]);
  } finally {
    await alone.stop();
  }
}, 60_000);

it('an idempotency key is forgotten when its window is over', async () => {
  const brief = await Service.start({ IDEMPOTENCY_WINDOW_MS: '4000' });
  try {
    await brief.agent();
    const submit = () => brief.client().jobs.submit({ job: { name: 'job' }, idempotencyKey: 'k', wait: true });
    const first = await submit();
    expect(await submit()).toMatchObject({ runId: first.runId, deduplicated: true });
    const second = await eventually(async () => {
      const again = await submit();
      return !again.deduplicated && again;
    });
    expect(second.runId).not.toBe(first.runId);
  } finally {
    await brief.stop();
  }
}, 60_000);

describe('the place of a run that is cancelled while it is under way', () => {
  it('is free for the next run when its replica is dead, long before its timeout', async () => {
    const pair = await Service.start({ RUN_LOCK_MS: '1000' });
    try {
      const victim = await pair.addReplica({ RUN_LOCK_MS: '60000' });
      const agent = await pair.agent({
        capacity: 1,
        handler: ({ job }, { signal }) =>
          job.payload === 'long'
            ? new Promise((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }))
            : 'ok',
      });
      const job = { job: { name: 'job', payload: 'long' }, timeoutMs: 3_600_000 };
      const { runId } = await pair.client({}, victim).jobs.submit(job);
      await eventually(() => agent.activeCount === 1);
      await victim.kill();
      const client = pair.client({ requestTimeoutMs: 50_000 });
      await client.runs.cancel({ runId });
      const next = client.jobs.submit({ job: { name: 'job' }, wait: true, deadlineMs: 50_000 });
      await expect(next).resolves.toMatchObject({ result: 'ok' });
    } finally {
      await pair.stop();
    }
  }, 90_000);

  it('stays taken while its replica lives and its agent goes on', async () => {
    const alone = await Service.start({ RUN_LOCK_MS: '1000' });
    try {
      let end: () => void = () => undefined;
      const agent = await alone.agent({
        capacity: 1,
        handler: () => new Promise((resolve) => (end = () => resolve(0))),
      });
      const client = alone.client();
      const { runId } = await client.jobs.submit({ job: { name: 'job' }, timeoutMs: 3_600_000 });
      await eventually(() => agent.activeCount === 1);
      await client.runs.cancel({ runId });
      const places = `{commander}:agent:default:${agent.agentId}:places`;
      const fallsBackAt = async () => Number(await alone.redis.cli('zscore', places, `${runId}#1`));
      const first = await fallsBackAt();
      // Put off more than once, and never by so much that a dead replica's place would stay taken for long.
      await eventually(async () => expect(await fallsBackAt()).toBeGreaterThan(first + 1_500));
      end();
      await eventually(async () => expect(await fallsBackAt()).toBe(0));
    } finally {
      await alone.stop();
    }
  }, 60_000);
});
