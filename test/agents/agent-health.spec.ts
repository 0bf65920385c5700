import type { PlaceOutcome } from '../../src/agents/agent-call.error.js';
import { healthRules, summarizeOutcomes } from '../../src/agents/agent-health.js';
import type { AgentPlace } from '../../src/agents/agent-place.js';
import { eventually } from '../support/eventually.js';
import { TcpAgent } from '../support/fake-agent.js';
import { RedisServer } from '../support/redis-server.js';
import { attempt, executeRequest, Replica } from './replica.js';

let redis: RedisServer;
let one: Replica;
let two: Replica;

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
  await redis.cli('FLUSHALL');
  forget();
});

const record = (agentId: string) => `{commander}:agent:default:${agentId}`;

function forget(): void {
  for (const replica of [one, two]) replica.directory.invalidate('default');
}

async function register(...agentIds: string[]): Promise<void> {
  for (const agentId of agentIds) {
    const registration = { agentId, host: '127.0.0.1', port: 9, capabilities: ['job'], capacity: 20, instanceEpoch: 1 };
    await one.command('agent.register', registration);
  }
  forget();
}

function acquire(agentId?: string): Promise<AgentPlace> {
  return one.agents.acquire(attempt({ route: agentId === undefined ? {} : { agentIds: [agentId] } }));
}

/** Runs with these outcomes, one after the other, at one agent, on the two replicas in turn. */
async function runs(agentId: string, ...outcomes: PlaceOutcome[]): Promise<void> {
  for (const [i, outcome] of outcomes.entries()) {
    const replica = i % 2 === 0 ? one : two;
    const place = await replica.agents.acquire(attempt({ route: { agentIds: [agentId] } }));
    await place.release(outcome, 10);
  }
}

const times = (count: number, outcome: PlaceOutcome): PlaceOutcome[] => Array<PlaceOutcome>(count).fill(outcome);

async function stateOf(agentId: string): Promise<string | undefined> {
  const { items } = await one.command('agent.list', {});
  return items.find((agent) => agent.agentId === agentId)?.state;
}

const field = async (agentId: string, name: string) => Number(await redis.cli('HGET', record(agentId), name));

/** How long the agent is ejected, ms, from the moment on at which it was. */
async function ejectedForMs(agentId: string): Promise<number> {
  return (await field(agentId, 'suspectUntil')) - (await field(agentId, 'ejectedAt'));
}

/** Lets the time of the ejection have passed. */
async function letEjectionEnd(agentId: string): Promise<void> {
  await redis.cli('HSET', record(agentId), 'suspectUntil', String(Date.now() - 1));
  forget();
}

/** Takes as many places at the agent as it gives. */
async function takeAll(agentId: string): Promise<AgentPlace[]> {
  const places: AgentPlace[] = [];
  try {
    for (;;) places.push(await acquire(agentId));
  } catch {
    return places;
  }
}

describe('an agent is ejected', () => {
  it.each(['agent-error', 'timeout'] as const)('after three runs in a row that ended with %s', async (outcome) => {
    await register('a', 'b', 'c');
    await runs('a', 'succeeded', outcome, outcome);
    expect(await stateOf('a')).toBe('up');
    await runs('a', outcome);
    expect(await stateOf('a')).toBe('suspect');
    expect(await ejectedForMs('a')).toBe(healthRules.baseEjectionMs);
    // The other replica keeps away from it too, although it has not seen a single error itself.
    two.directory.invalidate('default');
    const chosen = new Set<string>();
    for (let i = 0; i < 10; i++) chosen.add((await two.agents.acquire(attempt())).agentId);
    expect([...chosen].sort()).toEqual(['b', 'c']);
    await expect(two.agents.acquire(attempt({ route: { agentIds: ['b', 'c'] } }))).resolves.toBeDefined();
  });

  it('not while a success comes in between', async () => {
    await register('a', 'b');
    const round: PlaceOutcome[] = [...times(2, 'agent-error'), ...times(5, 'succeeded')];
    for (let i = 0; i < 5; i++) await runs('a', ...round);
    expect(await stateOf('a')).toBe('up');
  });

  it('when half of its last outcomes are errors, once there are ten', async () => {
    await register('a', 'b');
    for (let i = 0; i < 4; i++) await runs('a', 'succeeded', 'agent-error');
    expect(await stateOf('a')).toBe('up');
    await runs('a', 'succeeded');
    expect(await stateOf('a')).toBe('up');
    await runs('a', 'agent-error');
    expect(await stateOf('a')).toBe('suspect');
  });

  it('by its recent outcomes, however good its past was', async () => {
    await register('a', 'b');
    await runs('a', ...times(60, 'succeeded'));
    // Never three in a row: only the share can tell.
    for (let i = 0; i < 4; i++) await runs('a', 'agent-error', 'agent-error', 'succeeded');
    expect(await stateOf('a')).toBe('up');
    for (let i = 0; i < 3; i++) await runs('a', 'agent-error', 'succeeded', 'agent-error').catch(() => undefined);
    expect(await stateOf('a')).toBe('suspect');
  });

  it('never for errors of the job, which its error rate shows all the same', async () => {
    await register('a', 'b');
    await runs('a', ...times(30, 'job-error'));
    const { items } = await one.command('agent.list', {});
    expect(items[0]).toMatchObject({ agentId: 'a', state: 'up', errorRate: 1 });
  });

  it('never for runs that were given up, which its error rate does not show', async () => {
    await register('a', 'b');
    await runs('a', ...times(30, 'abandoned'));
    const { items } = await one.command('agent.list', {});
    expect(items[0]).toMatchObject({ agentId: 'a', state: 'up', errorRate: 0, inFlight: 0 });
  });

  it('once for one incident: calls that were under way with it do not count again', async () => {
    await register('a', 'b');
    const underWay = await Promise.all(Array.from({ length: 8 }, () => acquire('a')));
    for (const place of underWay.slice(0, 3)) await place.release('agent-error', 10);
    expect(await field('a', 'ejections')).toBe(1);
    await underWay[3]!.release('agent-error', 10);
    expect(await stateOf('a')).toBe('suspect');
    await letEjectionEnd('a');
    for (const place of underWay.slice(4)) await place.release('timeout', 10_000);
    expect(await stateOf('a')).toBe('up');
    expect(await field('a', 'ejections')).toBe(1);
    expect((await one.command('agent.list', {})).items[0]).toMatchObject({ errorRate: 1 });
  });
});

describe('an ejected agent', () => {
  it('comes back when its time is over, with one place, then twice as many with each success, then whole', async () => {
    await register('a', 'b');
    await runs('a', ...times(3, 'agent-error'));
    await letEjectionEnd('a');
    let successes = 0;
    for (const expected of [1, 2, 4, 8, 16, 20]) {
      const places = await takeAll('a');
      expect(places).toHaveLength(expected);
      await expect(acquire('a')).rejects.toMatchObject({
        details: {
          agentsConsidered: expect.arrayContaining([
            { agentId: 'a', reason: expect.stringMatching(expected === 20 ? /^full$/ : /^coming back/) as string },
          ]) as unknown,
        },
      });
      await places[0]!.release('succeeded', 1);
      successes += 1;
      for (const place of places.slice(1)) await place.release('abandoned', 1);
    }
    expect(await field('a', 'ejections')).toBe(1);
    await runs('a', ...times(healthRules.recoverySuccesses - successes, 'succeeded'));
    expect(await field('a', 'ejections')).toBe(0);
    // With its name cleared, a single error is just one again.
    await runs('a', 'agent-error', 'agent-error');
    expect(await stateOf('a')).toBe('up');
  });

  it('comes back by itself: nobody has to do anything', async () => {
    await register('a', 'b');
    await runs('a', ...times(3, 'agent-error'));
    expect(await stateOf('a')).toBe('suspect');
    await eventually(async () => expect(await stateOf('a')).toBe('up'), { timeoutMs: 30_000, intervalMs: 200 });
    await eventually(async () => expect((await acquire()).agentId).toBe('a'));
  });

  it('that fails on its return goes at once, for twice as long, up to the longest time', async () => {
    await register('a', 'b');
    await runs('a', ...times(3, 'agent-error'));
    const durations = [await ejectedForMs('a')];
    for (let flap = 0; flap < 8; flap++) {
      await letEjectionEnd('a');
      await runs('a', 'succeeded', 'succeeded', 'agent-error');
      expect(await stateOf('a')).toBe('suspect');
      durations.push(await ejectedForMs('a'));
    }
    expect(durations).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300].map((seconds) => seconds * 1_000));
  });

  it('starts its next life slowly when it registers as a new process, and not in exile', async () => {
    await register('a', 'b');
    await runs('a', ...times(3, 'agent-error'));
    const registration = { agentId: 'a', host: '127.0.0.1', port: 9, capabilities: ['job'], capacity: 20 };
    await one.command('agent.register', { ...registration, instanceEpoch: 2 });
    expect(await stateOf('a')).toBe('up');
    expect(await takeAll('a')).toHaveLength(1);
    await one.command('agent.register', { ...registration, instanceEpoch: 3 });
    await runs('a', 'agent-error');
    expect(await stateOf('a')).toBe('suspect');
    expect(await ejectedForMs('a')).toBe(2 * healthRules.baseEjectionMs);
  });
});

describe('a fleet', () => {
  it('never has more than half of its agents ejected', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    await register(...ids);
    for (const id of ids) await runs(id, ...times(5, 'agent-error')).catch(() => undefined);
    const { items } = await one.command('agent.list', {});
    expect(items.map(({ state }) => state)).toEqual(['suspect', 'suspect', 'up', 'up', 'up']);
  });

  it('of one that is broken goes on trying it, one run at a time', async () => {
    await register('a');
    await runs('a', ...times(3, 'agent-error'));
    expect(await stateOf('a')).toBe('suspect');
    const place = await acquire();
    await expect(acquire()).rejects.toMatchObject({
      details: { agentsConsidered: [{ agentId: 'a', reason: 'suspect, and being tried' }] },
    });
    await place.release('agent-error', 1);
    // A failed try neither doubles the time nor ends it.
    expect(await field('a', 'ejections')).toBe(1);
    expect(await stateOf('a')).toBe('suspect');
    const again = await acquire();
    await again.release('succeeded', 1);
    expect(await stateOf('a')).toBe('up');
    expect(await takeAll('a')).toHaveLength(2);
  });

  it('whose matching agents are all ejected tries the one ejected longest ago, then the next', async () => {
    await register('a', 'b', 'c', 'd');
    await runs('a', ...times(3, 'agent-error'));
    await runs('b', ...times(3, 'agent-error'));
    const route = { agentIds: ['a', 'b'] };
    const first = await one.agents.acquire(attempt({ route }));
    expect(first.agentId).toBe('a');
    await first.release('agent-error', 1);
    one.directory.invalidate('default');
    expect((await one.agents.acquire(attempt({ route }))).agentId).toBe('b');
    // With a choice, nobody ejected is tried.
    for (let i = 0; i < 6; i++) expect(['c', 'd']).toContain((await acquire()).agentId);
  });
});

describe('a real agent that', () => {
  it('hangs is ejected by its silence, and recovers when it answers again', async () => {
    const sick = await TcpAgent.start({ agentId: 'sick' });
    const well = await TcpAgent.start({ agentId: 'well' });
    try {
      for (const agent of [sick, well]) await one.command('agent.register', agent.registration());
      sick.behaviour = 'hang';
      const run = async () => {
        const request = attempt();
        const place = await one.agents.acquire(request);
        try {
          const patienceMs = place.agentId === 'sick' && sick.behaviour === 'hang' ? 100 : 10_000;
          await place.execute(executeRequest(request.runId), { deadlineAt: Date.now() + patienceMs });
          await place.release('succeeded', 1);
        } catch (error) {
          await place.release((error as { outcome: PlaceOutcome }).outcome, 100);
        }
        return place.agentId;
      };
      for (let i = 0; i < 6; i++) await run();
      expect(await stateOf('sick')).toBe('suspect');
      const during = new Set<string>();
      for (let i = 0; i < 6; i++) during.add(await run());
      expect([...during]).toEqual(['well']);
      sick.behaviour = 'answer';
      await letEjectionEnd('sick');
      for (let i = 0; i < 30; i++) await run();
      expect(await field('sick', 'ejections')).toBe(0);
    } finally {
      await sick.stop();
      await well.stop();
    }
  });
});

describe('the summary of outcomes', () => {
  it('of none is 0', () => {
    expect(summarizeOutcomes([])).toEqual({ errorRate: 0, p95Ms: 0 });
  });

  it('counts everything but successes as errors and takes the 95th percentile of all durations', () => {
    const outcomes = Array.from({ length: 20 }, (_, i) => `${'sja'[i % 3]}:${20 - i}`);
    expect(summarizeOutcomes(outcomes)).toEqual({ errorRate: 0.65, p95Ms: 19 });
    expect(summarizeOutcomes(['s:7'])).toEqual({ errorRate: 0, p95Ms: 7 });
  });
});
