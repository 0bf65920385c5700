import { eventually } from '../support/eventually.js';
import { httpGet } from '../support/http-get.js';
import { Service } from '../support/service.js';

/** How often each script was called: commands that touch no run are the same few with and without runs. */
async function scriptCalls(service: Service): Promise<number> {
  const stats = await service.redis.cli('info', 'commandstats');
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

it('runs submitted together begin in the step that makes them, and end in as few', async () => {
  // Nothing else asks Redis for anything meanwhile.
  const service = await Service.start({ TICK_POLL_EVERY_MS: '60000', RUN_LOCK_MS: '60000' });
  try {
    const agent = await service.agent({ capacity: 100 });
    const client = service.client();
    await client.jobs.submit({ job: { name: 'job' }, wait: true });
    const before = await scriptCalls(service);
    await Promise.all(Array.from({ length: 40 }, () => client.jobs.submit({ job: { name: 'job' }, wait: true })));
    expect(agent.executeCount).toBe(41);
    // One by one it would be four each: made, begun, ended, its place given back.
    expect((await scriptCalls(service)) - before).toBeLessThan(80);
  } finally {
    await service.stop();
  }
}, 60_000);

it('the end of a run and the beginning of the next are one command, in which the next gets the place of the first', async () => {
  const service = await Service.start({
    // One of them is the engine's.
    MAX_CONCURRENT_RUNS: '2',
    MAX_REQUESTS_PER_SECOND: '0',
    TICK_POLL_EVERY_MS: '60000',
    RUN_LOCK_MS: '60000',
  });
  try {
    const agent = await service.agent({ capacity: 1 });
    const client = service.client({ requestTimeoutMs: 30_000 });
    await eventually(async () => expect((await client.system.stats({})).replicaCount).toBe(1));
    await client.jobs.submit({ job: { name: 'job' }, wait: true });
    const before = await scriptCalls(service);
    await Promise.all(Array.from({ length: 50 }, () => client.jobs.submit({ job: { name: 'job' }, wait: true })));
    expect(agent.executeCount).toBe(51);
    // Begun, ended and its place given back by itself it would be three each.
    expect((await scriptCalls(service)) - before).toBeLessThan(100);
    // Who asked for the place before it was free would have found no agent.
    const { text } = await httpGet(`${service.replicas[0].httpUrl}/metrics`);
    expect(/^mu_runs_without_agent_total(?:\{.*\})? (\d+)$/m.exec(text)?.[1]).toBe('0');
  } finally {
    await service.stop();
  }
}, 60_000);

it('what waited long at the only replica is executed once, although a replica that has just come began it meanwhile', async () => {
  // Two places are for what comes without the engine.
  const service = await Service.start({ MAX_CONCURRENT_RUNS: '3', RUN_LOCK_MS: '60000', AGENT_LEASE_MS: '60000' });
  try {
    const release = new Map<unknown, () => void>();
    const agent = await service.agent({
      capacity: 100,
      handler: ({ job }) => new Promise((resolve) => release.set(job.payload, () => resolve('done'))),
    });
    const client = service.client();
    const submit = (payload: string, delayMs?: number) =>
      client.jobs.submit({ job: { name: 'job', payload }, delayMs }).then(({ runId }) => runId);
    await eventually(async () => expect((await client.system.stats({})).replicaCount).toBe(1));
    for (const blocker of ['blocker-1', 'blocker-2']) await submit(blocker);
    await eventually(() => agent.activeCount === 2);
    // They come out of their delay without their records: what becomes of them meanwhile is read when they begin.
    const runIds = [
      await submit('begun here', 100),
      await submit('handed on', 100),
      await submit('taken over', 60_000),
    ];
    const [, , takenOver] = runIds;
    // As a replica left it that died during the run's first dispatch.
    const known = `{commander}:run:default:${takenOver}`;
    await service.redis.cli('hset', known, 'state', 'running', 'epoch', '1', 'attempt', '1', 'agentId', agent.agentId);
    await service.redis.cli('hdel', known, 'dueAt');
    await service.redis.cli('zadd', '{commander}:due', '1', `r|default|${takenOver}`);
    await eventually(async () => expect((await client.system.stats({})).queue.waitingHereCount).toBe(3));

    // The look after what nobody began within five seconds is the other one's, because this one is held up.
    service.replicas[0].signal('SIGSTOP');
    await service.redis.cli('zadd', '{commander}:due', ...runIds.flatMap((runId) => ['1', `r|default|${runId}`]));
    const second = await service.addReplica();
    await eventually(() => agent.activeCount === 5);
    release.get('blocker-1')?.();
    service.replicas[0].signal('SIGCONT');
    const other = service.client({}, second);
    await eventually(async () => {
      expect((await client.system.stats({})).queue).toMatchObject({ waitingHereCount: 0, waitingCount: 0 });
      expect((await other.system.stats({})).replicaCount).toBe(2);
    });
    // A leftover is done with when another run went the same way.
    const probe = await submit('probe');
    await eventually(() => release.has('probe'));
    for (const end of release.values()) end();
    for (const runId of [...runIds, probe]) {
      await eventually(async () => expect((await other.runs.get({ runId })).state).toBe('succeeded'));
      expect(await other.runs.get({ runId })).toMatchObject({ attempt: 1, epoch: runId === takenOver ? 2 : 1 });
    }
    expect(agent.executeCount).toBe(6);
  } finally {
    service.replicas[0].signal('SIGCONT');
    await service.stop();
  }
}, 60_000);

describe('the places kept for runs that were not made', () => {
  let service: Service;
  beforeAll(async () => {
    service = await Service.start({ MAX_CONCURRENT_RUNS: '3', MAX_OPEN_RUNS: '1' });
  });
  afterAll(() => service.stop());

  it.each([
    ['refused', {}, 'RATE_LIMITED'],
    ['known already', { idempotencyKey: 'the-same' }, undefined],
  ])('come back when the run is %s', async (_why, more, code) => {
    const client = service.client();
    let release: () => void = () => undefined;
    const agent = await service.agent({
      capacity: 10,
      handler: ({ job }) =>
        job.payload === 'blocker' ? new Promise((resolve) => (release = () => resolve('free'))) : 'ok',
    });
    const blocker = await client.jobs.submit({ job: { name: 'job', payload: 'blocker' }, ...more });
    await eventually(() => agent.activeCount === 1);
    for (let count = 0; count < 10; count += 1) {
      const again = client.jobs.submit({ job: { name: 'job', payload: 'blocker' }, ...more });
      if (code === undefined) expect(await again).toEqual({ runId: blocker.runId, deduplicated: true });
      else await expect(again).rejects.toMatchObject({ code });
    }
    release();
    await eventually(async () => expect((await client.runs.get({ runId: blocker.runId })).state).toBe('succeeded'));
    // Two places, one after the other: kept ones that were lost would leave none.
    for (let count = 0; count < 4; count += 1) {
      await eventually(async () => expect((await client.system.stats({})).queue.dueCount).toBe(0));
      const done = await client.jobs.submit({ job: { name: 'job' }, wait: true });
      expect(done.result).toBe('ok');
    }
    await agent.leave();
  });
});

it('a run that finds no place as it is made waits for one', async () => {
  const service = await Service.start();
  try {
    const client = service.client();
    const { runId } = await client.jobs.submit({ job: { name: 'job' } });
    expect((await client.runs.get({ runId })).state).toBe('waiting');
    await service.agent();
    await eventually(async () => expect((await client.runs.get({ runId })).state).toBe('succeeded'));
  } finally {
    await service.stop();
  }
}, 60_000);

it('replicas know of each other, and forget one that left or died', async () => {
  const service = await Service.start({}, { replicas: 3 });
  try {
    const [steady, leaving, dying] = service.replicas;
    const client = service.client({}, steady);
    const replicaCount = async () => (await client.system.stats({})).replicaCount;
    await eventually(async () => expect(await replicaCount()).toBe(3), { timeoutMs: 10_000 });
    await leaving.stop();
    await eventually(async () => expect(await replicaCount()).toBe(2), { timeoutMs: 10_000 });
    await dying.kill();
    await eventually(async () => expect(await replicaCount()).toBe(1), { timeoutMs: 20_000 });
  } finally {
    await service.stop();
  }
}, 90_000);

it('more runs than places and than may wait here all end, without a pause until they come due again', async () => {
  const service = await Service.start({ MAX_CONCURRENT_RUNS: '2', MAX_REQUESTS_PER_SECOND: '0' });
  try {
    const agent = await service.agent({ capacity: 10 });
    const client = service.client({ requestTimeoutMs: 30_000 });
    await eventually(async () => expect((await client.system.stats({})).replicaCount).toBe(1));
    // 120 wait here; the others go through the engine and come back.
    await Promise.all(Array.from({ length: 300 }, () => client.jobs.submit({ job: { name: 'job' }, wait: true })));
    expect(agent.executeCount).toBe(300);
    await eventually(async () =>
      expect((await client.system.stats({})).queue).toMatchObject({
        waitingHereCount: 0,
        waitingCount: 0,
        dueCount: 0,
      }),
    );
    // What is left waiting comes due again after five seconds, and would be told as repaired.
    expect((await client.system.stats({})).repairs.totalCount).toBe(0);
  } finally {
    await service.stop();
  }
}, 60_000);

it('a run that waits here for longer than until it is looked after begins once', async () => {
  const service = await Service.start({ MAX_CONCURRENT_RUNS: '4', MAX_REQUESTS_PER_SECOND: '0' });
  try {
    const held: (() => void)[] = [];
    let areBlocked = true;
    const agent = await service.agent({
      capacity: 100,
      handler: ({ job }) => {
        if (job.payload === 'held') return new Promise((resolve) => held.push(() => resolve('ok')));
        return areBlocked ? new Promise((resolve) => held.push(() => resolve('ok'))) : 'ok';
      },
    });
    const client = service.client({ requestTimeoutMs: 30_000 });
    await eventually(async () => expect((await client.system.stats({})).replicaCount).toBe(1));
    const submit = (payload: string) => client.jobs.submit({ job: { name: 'job', payload } });
    await Promise.all(Array.from({ length: 4 }, () => submit('blocker')));
    // The fourth gets the place with which the replica asks the engine for jobs, when there are none.
    await eventually(() => agent.activeCount === 4);
    await Promise.all([
      ...Array.from({ length: 2 }, () => submit('held')),
      ...Array.from({ length: 14 }, () => submit('job')),
    ]);
    const waitingHere = async () => (await client.system.stats({})).queue.waitingHereCount;
    expect(await waitingHere()).toBe(16);

    const dueAts = async () => {
      const rows = (await service.redis.cli('zrange', '{commander}:due', '0', '-1', 'withscores')).split('\n');
      return new Map(rows.flatMap((row, at) => (row.startsWith('r|') ? [[row, Number(rows[at + 1])] as const] : [])));
    };
    const waiting = (await client.runs.list({ state: 'waiting' })).items.map(({ runId }) => `r|default|${runId}`);
    const first = await dueAts();
    await eventually(async () => {
      const now = await dueAts();
      // Claimed it is due two seconds later, looked after five.
      for (const member of waiting) expect(now.get(member)! - first.get(member)!).toBeGreaterThanOrEqual(5_000);
    });
    areBlocked = false;
    for (const release of held.splice(0)) release();
    // Those that are held take two places; all others get through the rest.
    await eventually(async () => expect(await waitingHere()).toBe(0));
    // The last of the others may still be on its way to the agent when only two are there.
    await eventually(() => expect([agent.activeCount, agent.executeCount]).toEqual([2, 20]));
    for (const release of held) release();
    await eventually(async () => expect((await client.system.stats({})).queue.dueCount).toBe(0));
    expect(agent.executeCount).toBe(20);
    expect((await client.system.stats({})).repairs.totalCount).toBe(0);
  } finally {
    await service.stop();
  }
}, 90_000);
