import { routeAgents, type RouteQuery, tiers } from '../../src/agents/agent-router.js';
import { rendezvousOrder } from '../../src/agents/rendezvous-hash.js';
import { routeSchema } from '../../src/contract/job.schema.js';
import { agentEntry as agent, NOW } from './agent-entries.js';

function query(route: object = {}, more: Partial<RouteQuery> = {}): RouteQuery {
  return { jobName: 'job', ...more, route: routeSchema.parse(route) };
}

const ejected = (agentId: string, ejectedAt: number) => agent(agentId, { suspectUntil: NOW + 1, ejectedAt });

describe('who may execute', () => {
  it('tells for each agent that is no candidate why', () => {
    const agents = [
      agent('fit', { labels: { site: 'a' } }),
      agent('other-job', { labels: { site: 'a' }, capabilities: ['else'] }),
      agent('no-label'),
      agent('wrong-label', { labels: { site: 'b' } }),
      agent('draining', { labels: { site: 'a' }, isDraining: true }),
      agent('down', { labels: { site: 'a' }, leaseExpiresAt: NOW }),
      agent('not-asked-for', { labels: { site: 'a' } }),
    ];
    const agentIds = agents.map(({ agentId }) => agentId).filter((id) => id !== 'not-asked-for');
    const { candidates, rejected } = routeAgents(agents, query({ labels: { site: 'a' }, agentIds }), NOW);
    expect(candidates).toEqual([{ agentId: 'fit', tier: tiers.normal }]);
    expect(rejected).toEqual([
      { agentId: 'other-job', reason: 'has no handler for job job' },
      { agentId: 'no-label', reason: 'has no label site' },
      { agentId: 'wrong-label', reason: 'label site is b, not a' },
      { agentId: 'draining', reason: 'draining' },
      { agentId: 'down', reason: 'down' },
      { agentId: 'not-asked-for', reason: 'not one of the agentIds of the route' },
    ]);
  });

  it('does not take a label from the prototype of an object', () => {
    const { candidates, rejected } = routeAgents([agent('a')], query({ labels: { constructor: 'x' } }), NOW);
    expect(candidates).toEqual([]);
    expect(rejected[0]?.reason).toBe('has no label constructor');
  });

  it('puts the preferred one first and the avoided ones last', () => {
    const agents = ['a', 'b', 'c', 'd'].map((id) => agent(id));
    const { candidates } = routeAgents(agents, query({}, { preferAgentId: 'c', avoidAgentIds: ['a'] }), NOW);
    expect(candidates).toEqual([
      { agentId: 'c', tier: tiers.preferred },
      { agentId: 'b', tier: tiers.normal },
      { agentId: 'd', tier: tiers.normal },
      { agentId: 'a', tier: tiers.avoided },
    ]);
  });

  it('does not prefer one that is ejected, down or does not match', () => {
    const agents = [
      agent('a'),
      agent('b'),
      ejected('sick', 1),
      agent('gone', { leaseExpiresAt: NOW }),
      agent('x', { capabilities: [] }),
    ];
    for (const preferAgentId of ['sick', 'gone', 'x', 'nobody']) {
      const { candidates } = routeAgents(agents, query({}, { preferAgentId }), NOW);
      expect(candidates.map(({ agentId }) => agentId)).toEqual(['a', 'b']);
    }
  });

  it('leaves ejected ones out while they are at most half', () => {
    const { candidates, rejected } = routeAgents(
      [agent('a'), agent('b'), ejected('c', 1), ejected('d', 2)],
      query(),
      NOW,
    );
    expect(candidates.map(({ agentId }) => agentId)).toEqual(['a', 'b']);
    expect(rejected).toEqual([
      { agentId: 'c', reason: 'suspect' },
      { agentId: 'd', reason: 'suspect' },
    ]);
  });

  it('tries those ejected longest ago, after all others, when more than half are', () => {
    const agents = [ejected('a', 30), ejected('b', 10), agent('c'), ejected('d', 20)];
    const { candidates, rejected } = routeAgents(agents, query(), NOW);
    expect(candidates).toEqual([
      { agentId: 'c', tier: tiers.normal },
      { agentId: 'b', tier: tiers.ejected },
    ]);
    expect(rejected.map(({ agentId }) => agentId)).toEqual(['d', 'a']);
  });

  it('counts only those that match when it asks whether half are ejected', () => {
    const agents = [ejected('a', 1), agent('b', { capabilities: [] }), agent('c', { capabilities: [] })];
    expect(routeAgents(agents, query(), NOW).candidates).toEqual([{ agentId: 'a', tier: tiers.ejected }]);
  });

  it('tries one of a fleet that is ejected altogether', () => {
    const { candidates } = routeAgents([ejected('a', 2), ejected('b', 1)], query(), NOW);
    expect(candidates).toEqual([{ agentId: 'b', tier: tiers.ejected }]);
  });
});

describe('the order of candidates', () => {
  const agents = ['c', 'a', 'b'].map((id) => agent(id));
  const order = (route: object, random?: () => number) =>
    routeAgents(agents, query(route), NOW, random).candidates.map(({ agentId }) => agentId);

  it('is by id where turns are taken, so that all replicas rotate over the same', () => {
    expect(order({ strategy: 'round-robin' })).toEqual(['a', 'b', 'c']);
    expect(order({ strategy: 'least-loaded' })).toEqual(['a', 'b', 'c']);
    expect(routeAgents(agents, query({ strategy: 'round-robin' }), NOW).order).toBe('rotated');
    expect(routeAgents(agents, query({ strategy: 'least-loaded' }), NOW).order).toBe('least-loaded');
  });

  it('is each permutation as often as any other, at random', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 6_000; i++) {
      const key = order({ strategy: 'random' }).join('');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // 1,000 expected, standard deviation 29: six of them is one in a billion.
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(175);
  });

  it('takes turns together with the same route only', () => {
    const bucket = (route: object, jobName = 'job') => routeAgents(agents, query(route, { jobName }), NOW).bucket;
    expect(bucket({ labels: { a: '1', b: '2' } })).toBe(bucket({ labels: { b: '2', a: '1' } }));
    expect(bucket({ labels: { a: '1' } })).not.toBe(bucket({ labels: { a: '2' } }));
    expect(bucket({}, 'one')).not.toBe(bucket({}, 'two'));
  });
});

describe('sticky', () => {
  const ids = Array.from({ length: 10 }, (_, i) => `agent-${i}`);
  const keys = Array.from({ length: 5_000 }, (_, i) => `site-${i}.example`);
  const first = (key: string, among: string[]) => rendezvousOrder(key, among)[0] as string;

  it('sends one key to one agent whatever the order in which agents are known', () => {
    for (const key of keys.slice(0, 100)) expect(first(key, [...ids].reverse())).toBe(first(key, ids));
  });

  it('spreads keys evenly', () => {
    const counts = new Map<string, number>();
    for (const key of keys) counts.set(first(key, ids), (counts.get(first(key, ids)) ?? 0) + 1);
    expect(counts.size).toBe(10);
    // 500 expected, standard deviation 21.
    for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(130);
  });

  it('moves only the keys of an agent that leaves, and spreads them over all others', () => {
    const left = ids.filter((id) => id !== 'agent-3');
    const heirs = new Set<string>();
    for (const key of keys) {
      const before = first(key, ids);
      if (before === 'agent-3') heirs.add(first(key, left));
      else expect(first(key, left)).toBe(before);
    }
    expect(heirs.size).toBe(9);
  });

  it('never changes where a key goes: these were recorded', () => {
    expect(['a', 'b', 'news.example', 'ünï'].map((key) => first(key, ids))).toMatchInlineSnapshot(`
     [
       "agent-7",
       "agent-2",
       "agent-4",
       "agent-0",
     ]
    `);
  });

  it('uses the key of the route, and without one the name of the job', () => {
    const agents = ids.map((id) => agent(id));
    const at = (route: object, jobName: string) => routeAgents(agents, query(route, { jobName }), NOW);
    for (const job of ['one', 'two', 'three']) {
      const doers = agents.map((one) => ({ ...one, capabilities: [job] }));
      const keyed = routeAgents(doers, query({ strategy: 'sticky', stickyKey: 'k' }, { jobName: job }), NOW);
      expect(keyed.candidates[0]?.agentId).toBe(first('k', ids));
      const named = routeAgents(doers, query({ strategy: 'sticky' }, { jobName: job }), NOW);
      expect(named.candidates[0]?.agentId).toBe(first(job, ids));
    }
    expect(at({ strategy: 'sticky' }, 'job').order).toBe('given');
  });
});
