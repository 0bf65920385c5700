import { CommandError } from '../../src/contract/command-error.js';
import { eventually } from '../support/eventually.js';
import { TcpAgent } from '../support/fake-agent.js';
import { RedisServer } from '../support/redis-server.js';
import { attempt, executeRequest, Replica } from './replica.js';

let redis: RedisServer;
let one: Replica;
let two: Replica;
const agents: TcpAgent[] = [];

beforeAll(async () => {
  redis = await RedisServer.start();
  // Nobody sends heartbeats here: the lease has to outlast the longest test.
  const lease = { AGENT_LEASE_MS: '600000' };
  [one, two] = await Promise.all([Replica.start(redis.url, lease), Replica.start(redis.url, lease)]);
});
afterAll(async () => {
  await one.close();
  await two.close();
  await redis.stop();
});
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.stop()));
  await redis.cli('FLUSHALL');
  for (const replica of [one, two]) replica.directory.invalidate('default');
});

async function start(...options: Parameters<typeof TcpAgent.start>[0][]): Promise<void> {
  for (const option of options) {
    const agent = await TcpAgent.start(option);
    agents.push(agent);
    await one.command('agent.register', agent.registration());
  }
  two.directory.invalidate('default');
}

describe('capacity', () => {
  it.each(['round-robin', 'least-loaded', 'random', 'sticky'])(
    'is never exceeded by two replicas that dispatch as fast as they can (%s)',
    async (strategy) => {
      const handler = () => new Promise((resolve) => setTimeout(resolve, 2 + Math.random() * 5));
      await start({ agentId: 'a', capacity: 3, handler }, { agentId: 'b', capacity: 5, handler });
      let doneCount = 0;
      let refusedCount = 0;
      const work = async (replica: Replica, total: number) => {
        for (let i = 0; i < total;) {
          const request = attempt({ route: { strategy, stickyKey: String(i % 7) } });
          try {
            const place = await replica.agents.acquire(request);
            const deadlineAt = Date.now() + 10_000;
            await place.execute(executeRequest(request.runId), { deadlineAt });
            await place.release('succeeded', 1);
            doneCount += 1;
            i += 1;
          } catch (error) {
            if (!(error instanceof CommandError) || error.code !== 'NO_AGENT') throw error;
            refusedCount += 1;
            await new Promise((resolve) => setTimeout(resolve, 1));
          }
        }
      };
      await Promise.all([one, two].flatMap((replica) => Array.from({ length: 10 }, () => work(replica, 15))));
      expect(doneCount).toBe(300);
      // 20 workers for 8 places: the limit was reached and kept.
      expect(refusedCount).toBeGreaterThan(0);
      expect(agents.map(({ maxActiveCount }) => maxActiveCount)).toEqual([3, 5]);
      const { items } = await one.command('agent.list', {});
      expect(items.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
    },
  );

  it('says of an agent without a free place that it is full', async () => {
    await start({ agentId: 'a', capacity: 2 });
    await one.agents.acquire(attempt());
    await two.agents.acquire(attempt());
    await expect(one.agents.acquire(attempt())).rejects.toMatchObject({
      code: 'NO_AGENT',
      details: { agentsConsidered: [{ agentId: 'a', reason: 'full' }] },
    });
  });

  it('counts an attempt once that asks twice, because it did not hear the answer', async () => {
    await start({ agentId: 'a', capacity: 1 });
    const request = attempt();
    await one.agents.acquire(request);
    const again = await two.agents.acquire(request);
    await expect(one.agents.acquire(attempt())).rejects.toMatchObject({ code: 'NO_AGENT' });
    await again.release('succeeded', 1);
    await expect(one.agents.acquire(attempt())).resolves.toMatchObject({ agentId: 'a' });
  });

  it('grows and shrinks with what the agent declares', async () => {
    await start({ agentId: 'a', capacity: 1 });
    await one.agents.acquire(attempt());
    await expect(one.agents.acquire(attempt())).rejects.toMatchObject({ code: 'NO_AGENT' });
    await one.command('agent.register', agents[0]!.registration({ capacity: 2 }));
    await one.agents.acquire(attempt());
    await one.command('agent.register', agents[0]!.registration({ capacity: 1 }));
    await expect(one.agents.acquire(attempt())).rejects.toMatchObject({ code: 'NO_AGENT' });
  });
});

describe('a place', () => {
  it('whose holder died falls back by its lease', async () => {
    await start({ agentId: 'a', capacity: 2 });
    await one.agents.acquire(attempt({ leaseMs: 2_000 }));
    // A living one beside it: each place has an end of its own.
    await one.agents.acquire(attempt({ leaseMs: 60_000 }));
    await expect(two.agents.acquire(attempt())).rejects.toMatchObject({ code: 'NO_AGENT' });
    const place = await eventually(() => two.agents.acquire(attempt()));
    expect(place.agentId).toBe('a');
    expect((await one.command('agent.list', {})).items).toMatchObject([{ inFlight: 2 }]);
  });

  it('is given back once, however often that is asked for', async () => {
    await start({ agentId: 'a', capacity: 2 });
    const first = await one.agents.acquire(attempt());
    await two.agents.acquire(attempt());
    await Promise.all([first.release('succeeded', 10), first.release('agent-error', 20), first.release('timeout', 30)]);
    const { items } = await one.command('agent.list', {});
    expect(items).toMatchObject([{ inFlight: 1, errorRate: 0, p95Ms: 10 }]);
  });

  it('of a process that was replaced does not touch what its successor holds', async () => {
    await start({ agentId: 'a', capacity: 1, instanceEpoch: 1 });
    const old = await one.agents.acquire(attempt());
    await one.command('agent.register', agents[0]!.registration({ instanceEpoch: 2 }));
    await one.agents.acquire(attempt());
    await old.release('agent-error', 10);
    expect((await one.command('agent.list', {})).items).toMatchObject([{ inFlight: 1, errorRate: 0 }]);
    const call = old.execute(executeRequest(), { deadlineAt: Date.now() + 5_000 });
    await expect(call).resolves.toMatchObject({ ok: true });
  });
});
