import { AgentCallError } from '../../src/agents/agent-call.error.js';
import { IDLE_CLOSE_AFTER_MS } from '../../src/agents/agent-connection-pool.js';
import { CommandError } from '../../src/contract/command-error.js';
import { eventually } from '../support/eventually.js';
import { TcpAgent } from '../support/fake-agent.js';
import { RedisServer } from '../support/redis-server.js';
import { attempt, executeRequest, Replica } from './replica.js';

let redis: RedisServer;
let replica: Replica;

beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(async () => {
  await redis.stop();
});
beforeEach(async () => {
  await redis.cli('FLUSHALL');
  replica = await Replica.start(redis.url, { AGENT_LEASE_MS: '10000', AGENT_HEARTBEAT_EVERY_MS: '500' });
});
afterEach(async () => {
  await replica.close();
});

/** Sockets of this process that have a peer, as the kernel binding sees them: no bookkeeping of ours. */
const tcpSocketCount = () => process.getActiveResourcesInfo().filter((type) => type === 'TCPSocketWrap').length;

async function run(): Promise<'done' | 'failed' | 'no agent'> {
  const request = attempt();
  try {
    const place = await replica.agents.acquire(request);
    try {
      await place.execute(executeRequest(request.runId), { deadlineAt: Date.now() + 10_000 });
      await place.release('succeeded', 1);
      return 'done';
    } catch (error) {
      if (!(error instanceof AgentCallError)) throw error;
      await place.release(error.outcome, 1);
      return 'failed';
    }
  } catch (error) {
    if (!(error instanceof CommandError) || error.code !== 'NO_AGENT') throw error;
    await new Promise((resolve) => setTimeout(resolve, 5));
    return 'no agent';
  }
}

const register = (agent: TcpAgent) => replica.command('agent.register', agent.registration());
const beat = ({ agentId, instanceEpoch }: TcpAgent) =>
  replica.command('agent.heartbeat', { agentId, instanceEpoch, inFlight: 0 });

describe('10,000 runs on three agents that come and go', () => {
  it('leave one socket per agent that is up, and none after the close', async () => {
    // The connection to Redis is there once it has answered.
    await replica.command('agent.list', {});
    const before = tcpSocketCount();
    const ids = ['a', 'b', 'c'];
    const options = { capacity: 20, handler: () => new Promise((resolve) => setImmediate(resolve)) };
    const start = async (agentId: string) => {
      const agent = await TcpAgent.start({ agentId, ...options });
      await register(agent);
      return agent;
    };
    const living = new Map<string, TcpAgent>();
    const all: TcpAgent[] = [];
    for (const id of ids) living.set(id, await start(id));
    all.push(...living.values());

    let doneCount = 0;
    let failedCount = 0;
    let isOver = false;
    let churnCount = 0;
    const churn = async () => {
      for (let round = 0; !isOver; round++) {
        const id = ids[round % 3] as string;
        const agent = living.get(id) as TcpAgent;
        await new Promise((resolve) => setTimeout(resolve, 100));
        for (const other of living.values()) await beat(other);
        switch (round % 4) {
          case 0: // killed; its successor has another address
            await agent.die();
            living.set(id, await start(id));
            break;
          case 1: // says good-bye while work is under way, and another one comes
            await replica.command('agent.deregister', { agentId: id, instanceEpoch: agent.instanceEpoch });
            living.set(id, await start(id));
            await eventually(() => agent.activeCount === 0);
            await agent.stop();
            break;
          case 2: // its connections break, it lives on
            agent.dropConnections();
            break;
          case 3: // drained and back
            await replica.command('agent.drain', { agentId: id });
            await replica.command('agent.undrain', { agentId: id });
            break;
        }
        if (living.get(id) !== agent) all.push(living.get(id) as TcpAgent);
        churnCount += 1;
      }
    };
    const churning = churn();
    const worker = async () => {
      while (doneCount < 10_000) {
        const outcome = await run();
        if (outcome === 'done') doneCount += 1;
        if (outcome === 'failed') failedCount += 1;
      }
    };
    await Promise.all(Array.from({ length: 40 }, worker));
    isOver = true;
    await churning;

    expect(churnCount).toBeGreaterThanOrEqual(8);
    expect(failedCount).toBeGreaterThan(0);
    expect(all.reduce((sum, agent) => sum + agent.executeCount, 0)).toBeGreaterThanOrEqual(10_000);

    // Each known agent is used once more, so that each has its connection.
    for (const agent of living.values()) {
      await register(agent);
      await redis.cli('HSET', `{commander}:agent:default:${agent.agentId}`, 'suspectUntil', '0', 'ejections', '0');
    }
    replica.directory.invalidate('default');
    for (let i = 0; i < 12; i++) expect(await run()).toBe('done');
    await replica.sweep.sweep();
    await eventually(async () => {
      for (const agent of living.values()) await beat(agent);
      const expected = all.map((agent) => [agent.port, living.get(agent.agentId) === agent ? 1 : 0]);
      expect(all.map((agent) => [agent.port, agent.openCount])).toEqual(expected);
    });
    expect(replica.agents.stats()).toMatchObject({ agentCount: 3, connectionCount: 3 });
    expect(replica.pool.stats().pendingCount).toBe(0);
    // Both ends of three connections live in this process.
    expect(tcpSocketCount() - before).toBe(6);

    await replica.close();
    expect(replica.pool.stats().connectionCount).toBe(0);
    await eventually(() => expect(all.map(({ openCount }) => openCount)).toEqual(Array(all.length).fill(0)));
    for (const agent of living.values()) await agent.stop();
  }, 120_000);
});

describe('the connection to an agent', () => {
  it('is dialled once, by its first run, and shared by all of them', async () => {
    const agent = await TcpAgent.start({ capacity: 200 });
    await register(agent);
    expect(agent.acceptedCount).toBe(0);
    await Promise.all(Array.from({ length: 100 }, run));
    await Promise.all(Array.from({ length: 100 }, run));
    expect(agent.executeCount).toBe(200);
    expect(agent.acceptedCount).toBe(1);
    expect(replica.agents.stats()).toEqual({ agentCount: 1, connectionCount: 1, dialledCount: 1 });
    await agent.stop();
  });

  it('goes at once when the agent deregisters, but lets calls under way finish', async () => {
    let finish: (value: string) => void = () => undefined;
    const agent = await TcpAgent.start({ handler: () => new Promise((resolve) => (finish = resolve)) });
    await register(agent);
    const place = await replica.agents.acquire(attempt());
    const call = place.execute(executeRequest(), { deadlineAt: Date.now() + 10_000 });
    await eventually(() => agent.activeCount === 1);
    const { agentId, instanceEpoch } = agent;
    await replica.command('agent.deregister', { agentId, instanceEpoch });
    expect(agent.openCount).toBe(1);
    finish('done');
    await expect(call).resolves.toBe('done');
    await eventually(() => agent.openCount === 0);
    expect(replica.pool.stats().connectionCount).toBe(0);
    await agent.stop();
  });

  it('goes by itself when the lease ran out, also when nothing is dispatched', async () => {
    const [silent, lively] = [await TcpAgent.start(), await TcpAgent.start()];
    for (const agent of [silent, lively]) await register(agent);
    for (let i = 0; i < 4; i++) expect(await run()).toBe('done');
    expect(replica.pool.stats().connectionCount).toBe(2);
    // As if it had been silent for as long as its lease is.
    await redis.cli('ZADD', '{commander}:agents:default', 'XX', String(Date.now() - 1), silent.agentId);
    await eventually(
      async () => {
        await beat(lively);
        expect([silent.openCount, lively.openCount]).toEqual([0, 1]);
      },
      { timeoutMs: 30_000, intervalMs: 200 },
    );
    await eventually(() => expect(replica.agents.stats()).toMatchObject({ agentCount: 1, connectionCount: 1 }));
    await silent.stop();
    await lively.stop();
  });

  it('goes when another replica heard that the agent is gone', async () => {
    const other = await Replica.start(redis.url);
    const agent = await TcpAgent.start();
    await register(agent);
    expect(await run()).toBe('done');
    const { agentId, instanceEpoch } = agent;
    await other.command('agent.deregister', { agentId, instanceEpoch });
    await eventually(() => agent.openCount === 0, { timeoutMs: 30_000 });
    await other.close();
    await agent.stop();
  });

  it('is kept while the agent drains or is suspect', async () => {
    const agent = await TcpAgent.start();
    await register(agent);
    expect(await run()).toBe('done');
    await replica.command('agent.drain', { agentId: agent.agentId });
    await redis.cli('HSET', `{commander}:agent:default:${agent.agentId}`, 'suspectUntil', String(Date.now() + 60_000));
    await replica.sweep.sweep();
    expect(replica.pool.stats().connectionCount).toBe(1);
    expect(agent.openCount).toBe(1);
    await agent.stop();
  });

  it('goes to the new process, not to the old one, once that has registered', async () => {
    const old = await TcpAgent.start({ agentId: 'a', handler: () => 'old' });
    await register(old);
    expect(await run()).toBe('done');
    const place = await replica.agents.acquire(attempt());
    const next = await TcpAgent.start({ agentId: 'a', handler: () => 'next' });
    await register(next);
    expect(await run()).toBe('done');
    expect(next.executeCount).toBe(1);
    await eventually(() => old.openCount === 0);
    // A place at the process that is gone is worth nothing; it must not reopen the way to it.
    const call = place.execute(executeRequest(), { deadlineAt: Date.now() + 5_000 });
    await expect(call).rejects.toMatchObject({ kind: 'unreachable' });
    expect(replica.pool.stats().connectionCount).toBe(1);
    await old.stop();
    await next.stop();
  });

  it('is closed after a long time without use, and dialled again when needed', async () => {
    const agent = await TcpAgent.start();
    await register(agent);
    expect(await run()).toBe('done');
    replica.pool.closeIdle(IDLE_CLOSE_AFTER_MS);
    expect(replica.pool.stats().connectionCount).toBe(1);
    replica.pool.closeIdle(0);
    await eventually(() => agent.openCount === 0);
    expect(await run()).toBe('done');
    expect(replica.agents.stats()).toMatchObject({ connectionCount: 1, dialledCount: 2 });
    await agent.stop();
  });

  it('that cannot be made leaves nothing behind', async () => {
    const agent = await TcpAgent.start();
    await register(agent);
    await agent.die();
    for (let i = 0; i < 3; i++) expect(await run()).toBe('failed');
    await eventually(() => expect(replica.pool.stats()).toMatchObject({ connectionCount: 0, pendingCount: 0 }));
  });

  it('breaks under calls at the close of the service: they end at once, and so does the close', async () => {
    const agent = await TcpAgent.start();
    agent.behaviour = 'hang';
    await register(agent);
    const place = await replica.agents.acquire(attempt());
    const call = place.execute(executeRequest(), { deadlineAt: Date.now() + 60_000 });
    const ended = expect(call).rejects.toMatchObject({ kind: 'lost' });
    await eventually(() => agent.executeCount === 1);
    await replica.close();
    await ended;
    await expect(place.execute(executeRequest(), { deadlineAt: Date.now() + 60_000 })).rejects.toMatchObject({
      kind: 'unreachable',
    });
    await eventually(() => agent.openCount === 0);
    await agent.stop();
  });

  it('carries the token of the service', async () => {
    const guarded = await Replica.start(redis.url, { COMMANDER_TOKEN: 'secret' });
    const agent = await TcpAgent.start({ token: 'secret' });
    await guarded.command('agent.register', agent.registration());
    const place = await guarded.agents.acquire(attempt());
    const call = place.execute(executeRequest(), { deadlineAt: Date.now() + 5_000 });
    await expect(call).resolves.toMatchObject({ ok: true });
    expect([...agent.tokens]).toEqual(['secret']);
    // The twin: a service without the token is refused by the same agent.
    const stranger = await replica.agents.acquire(attempt());
    await expect(stranger.execute(executeRequest(), { deadlineAt: Date.now() + 5_000 })).rejects.toMatchObject({
      kind: 'protocol',
    });
    await guarded.close();
    await agent.stop();
  });
});
