import { TcpAgent, type TcpAgentOptions } from '../support/fake-agent.js';
import { RedisServer } from '../support/redis-server.js';
import { attempt, executeRequest, Replica } from './replica.js';

let redis: RedisServer;
let replicas: Replica[];
const agents: TcpAgent[] = [];

beforeAll(async () => {
  redis = await RedisServer.start();
  // Nobody sends heartbeats here: the lease has to outlast the longest test.
  const lease = { AGENT_LEASE_MS: '600000' };
  replicas = await Promise.all([Replica.start(redis.url, lease), Replica.start(redis.url, lease)]);
});
afterAll(async () => {
  for (const replica of replicas) await replica.close();
  await redis.stop();
});
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.stop()));
  await redis.cli('FLUSHALL');
  for (const replica of replicas) replica.directory.invalidate('default');
});

async function start(...options: TcpAgentOptions[]): Promise<void> {
  for (const one of options) {
    const agent = await TcpAgent.start(one);
    agents.push(agent);
    await replicas[0]?.command('agent.register', agent.registration());
  }
  for (const replica of replicas) replica.directory.invalidate('default');
}

/** Acquires and releases, on one replica after the other; how often each agent was chosen. */
async function distribution(times: number, route: object): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < times; i++) {
    const place = await replicas[i % 2]!.agents.acquire(attempt({ route }));
    counts[place.agentId] = (counts[place.agentId] ?? 0) + 1;
    await place.release('succeeded', 1);
  }
  return counts;
}

const trio = ['a', 'b', 'c'].map((agentId) => ({ agentId, capacity: 100 }));

describe('a route', () => {
  it('in turn gives each agent exactly its share, over two replicas', async () => {
    await start(...trio);
    expect(await distribution(300, { strategy: 'round-robin' })).toEqual({ a: 100, b: 100, c: 100 });
  });

  it('in turn is fair to two routes that alternate', async () => {
    await start(...trio.slice(0, 2).map((one) => ({ ...one, labels: { kind: 'x' } })));
    const counts: Record<string, number> = {};
    for (let i = 0; i < 100; i++) {
      const route = i % 2 === 0 ? {} : { labels: { kind: 'x' } };
      const place = await replicas[0]!.agents.acquire(attempt({ route }));
      const name = `${i % 2}${place.agentId}`;
      counts[name] = (counts[name] ?? 0) + 1;
      await place.release('succeeded', 1);
    }
    expect(counts).toEqual({ '0a': 25, '0b': 25, '1a': 25, '1b': 25 });
  });

  it('at random gives each agent about its share', async () => {
    await start(...trio);
    const counts = await distribution(600, { strategy: 'random' });
    // 200 expected, standard deviation 12.
    for (const id of ['a', 'b', 'c']) expect(Math.abs((counts[id] ?? 0) - 200)).toBeLessThan(70);
  });

  it('by load goes where the largest share of places is free', async () => {
    await start(
      { agentId: 'big', capacity: 20 },
      { agentId: 'middle', capacity: 10 },
      { agentId: 'small', capacity: 5 },
    );
    const counts: Record<string, number> = {};
    for (let i = 0; i < 28; i++) {
      const place = await replicas[i % 2]!.agents.acquire(attempt({ route: { strategy: 'least-loaded' } }));
      counts[place.agentId] = (counts[place.agentId] ?? 0) + 1;
    }
    expect(counts).toEqual({ big: 16, middle: 8, small: 4 });
  });

  it('by load does not always begin with the same of equally idle agents', async () => {
    await start(...trio);
    expect(await distribution(30, { strategy: 'least-loaded' })).toEqual({ a: 10, b: 10, c: 10 });
  });

  it('that sticks keeps a key at its agent on every replica, and moves it only when that one goes', async () => {
    await start(...trio);
    const where = async (key: string, turn: number) => {
      const route = { strategy: 'sticky', stickyKey: key };
      const place = await replicas[turn % 2]!.agents.acquire(attempt({ route }));
      await place.release('succeeded', 1);
      return place.agentId;
    };
    const keys = Array.from({ length: 60 }, (_, i) => `site-${i}`);
    const before = new Map<string, string>();
    for (const key of keys) before.set(key, await where(key, 0));
    expect(new Set(before.values()).size).toBe(3);
    for (const key of keys) expect(await where(key, 1)).toBe(before.get(key));

    await replicas[0]!.command('agent.drain', { agentId: 'b' });
    for (const [i, key] of keys.entries()) {
      const now = await where(key, i);
      if (before.get(key) === 'b') expect(now).not.toBe('b');
      else expect(now).toBe(before.get(key));
    }
    await replicas[0]!.command('agent.undrain', { agentId: 'b' });
    replicas[1]!.directory.invalidate('default');
    for (const [i, key] of keys.entries()) expect(await where(key, i)).toBe(before.get(key));
  });

  it('by label, id or job goes nowhere else, and says why when nobody is left', async () => {
    await start(
      { agentId: 'a', labels: { zone: 'eu' } },
      { agentId: 'b', labels: { zone: 'us' } },
      { agentId: 'c', labels: { zone: 'eu' }, capabilities: ['other'] },
    );
    expect(await distribution(10, { labels: { zone: 'eu' } })).toEqual({ a: 10 });
    expect(await distribution(10, { agentIds: ['b'] })).toEqual({ b: 10 });
    await expect(distribution(1, { labels: { zone: 'mars' } })).rejects.toMatchObject({
      code: 'NO_AGENT',
      retryable: true,
      message: 'none of 3 agents can take job job now',
      details: {
        agentsConsidered: expect.arrayContaining([
          { agentId: 'a', reason: 'label zone is eu, not mars' },
          { agentId: 'b', reason: 'label zone is us, not mars' },
          { agentId: 'c', reason: 'has no handler for job job' },
        ]) as unknown,
      },
    });
    const place = await replicas[0]!.agents.acquire(attempt({ jobName: 'other' }));
    expect(place.agentId).toBe('c');
  });

  it('prefers and avoids as asked, as long as there is a choice', async () => {
    await start(...trio.map((one) => ({ ...one, capacity: 1 })));
    const acquire = (more: object) => replicas[0]!.agents.acquire(attempt(more));
    const preferred = await acquire({ preferAgentId: 'b', avoidAgentIds: ['a'] });
    expect(preferred.agentId).toBe('b');
    expect((await acquire({ preferAgentId: 'b', avoidAgentIds: ['a'] })).agentId).toBe('c');
    expect((await acquire({ preferAgentId: 'b', avoidAgentIds: ['a'] })).agentId).toBe('a');
    await expect(acquire({ preferAgentId: 'b' })).rejects.toMatchObject({ code: 'NO_AGENT' });
    await preferred.release('succeeded', 1);
    expect((await acquire({ avoidAgentIds: ['a', 'b', 'c'] })).agentId).toBe('b');
  });

  it('matching names every agent that may execute, in order, whether it has a place left or not', async () => {
    await start(...trio, { agentId: 'd', capabilities: ['other'] });
    const { agents } = replicas[0]!;
    const { namespace, route, jobName } = attempt({ route: { strategy: 'broadcast' } });
    const { agentIds, considered } = await agents.matching({ namespace, route, jobName }, Date.now() + 5_000);
    expect(agentIds).toEqual(['a', 'b', 'c']);
    expect(considered).toEqual([{ agentId: 'd', reason: `has no handler for job ${jobName}` }]);
  });
});

describe('an agent that just came', () => {
  it('on another replica is found, although this one remembers that there was none', async () => {
    await expect(replicas[1]!.agents.acquire(attempt())).rejects.toMatchObject({
      code: 'NO_AGENT',
      message: 'namespace default has no agents',
    });
    await start({ agentId: 'a' });
    await expect(replicas[1]!.agents.acquire(attempt())).resolves.toMatchObject({ agentId: 'a' });
  });
});

describe('a place', () => {
  it('executes at its agent, with a deadline a little before ours', async () => {
    await start({ agentId: 'a', handler: ({ job, deadlineMs }) => ({ payload: job.payload, deadlineMs }) });
    const place = await replicas[0]!.agents.acquire(attempt());
    const request = executeRequest('run', { job: { name: 'job', payload: { url: 'http://x' } }, deadlineMs: 30_000 });
    const roomy = await place.execute(request, { deadlineAt: Date.now() + 60_000 });
    expect(roomy).toEqual({ payload: { url: 'http://x' }, deadlineMs: 30_000 });
    const tight = (await place.execute(request, { deadlineAt: Date.now() + 10_000 })) as { deadlineMs: number };
    expect(tight.deadlineMs).toBeLessThanOrEqual(9_750);
    expect(tight.deadlineMs).toBeGreaterThan(5_000);
  });

  it('fails as protocol when the answer has no result', async () => {
    await start({ agentId: 'a' });
    agents[0]!.behaviour = 'empty';
    const place = await replicas[0]!.agents.acquire(attempt());
    const call = place.execute(executeRequest(), { deadlineAt: Date.now() + 5_000 });
    await expect(call).rejects.toMatchObject({ kind: 'protocol' });
  });

  it('can be told to abort the run, from any replica', async () => {
    const handler: TcpAgentOptions['handler'] = (_request, { signal }) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve('aborted')));
    await start({ agentId: 'a', handler });
    const place = await replicas[0]!.agents.acquire(attempt({ runId: 'long', epoch: 3 }));
    const call = place.execute(executeRequest('long', { epoch: 3 }), { deadlineAt: Date.now() + 20_000 });
    while (agents[0]!.activeCount === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await expect(replicas[1]!.agents.cancel('default', 'a', 'other', 1)).resolves.toBe(false);
    await expect(replicas[1]!.agents.cancel('default', 'a', 'long', 3, 'enough')).resolves.toBe(true);
    await expect(call).resolves.toBe('aborted');
    expect(agents[0]!.cancelled).toEqual([
      { runId: 'other', epoch: 1 },
      { runId: 'long', epoch: 3, reason: 'enough' },
    ]);
    await expect(replicas[1]!.agents.cancel('default', 'a', 'long', 3)).resolves.toBe(false);
    await expect(replicas[1]!.agents.cancel('default', 'nobody', 'long', 3)).resolves.toBe(false);
  });
});
