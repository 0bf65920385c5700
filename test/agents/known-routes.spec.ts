import type { AgentEntry } from '../../src/agents/agent-entry';
import { routeAgents, type RouteQuery } from '../../src/agents/agent-router';
import { KnownRoutes } from '../../src/agents/known-routes';

function agent(agentId: string, more: Partial<AgentEntry> = {}): AgentEntry {
  return {
    agentId,
    instanceEpoch: 1,
    host: 'h',
    port: 1,
    labels: {},
    capabilities: ['job', 'other'],
    capacity: 1,
    version: '1',
    lastSeenAt: 0,
    leaseExpiresAt: 10_000,
    isDraining: false,
    placesTaken: 0,
    reportedInFlight: 0,
    suspectUntil: 0,
    ejectedAt: 0,
    ejections: 0,
    ...more,
  };
}

const any: RouteQuery = { route: { strategy: 'round-robin' }, jobName: 'job' };

describe('KnownRoutes', () => {
  it('works the route of one look out once', () => {
    const routes = new KnownRoutes();
    const agents = [agent('a'), agent('b')];
    const first = routes.route(agents, any, 1_000);
    expect(first).toEqual(routeAgents(agents, any, 1_000));
    expect(routes.route(agents, { ...any, avoidAgentIds: [] }, 2_000)).toBe(first);
    expect(routes.route([...agents], any, 2_000)).not.toBe(first);
  });

  it.each<[string, RouteQuery]>([
    ['another job', { ...any, jobName: 'other' }],
    ['another strategy', { ...any, route: { strategy: 'least-loaded' } }],
    ['chance', { ...any, route: { strategy: 'random' } }],
    ['a key', { ...any, route: { strategy: 'sticky', stickyKey: 'k' } }],
    ['labels', { ...any, route: { strategy: 'round-robin', labels: { zone: 'x' } } }],
    ['some agents', { ...any, route: { strategy: 'round-robin', agentIds: ['b'] } }],
    ['one first', { ...any, preferAgentId: 'b' }],
    ['one last', { ...any, avoidAgentIds: ['a'] }],
  ])('does not take the route for %s from it', (_what, query) => {
    const routes = new KnownRoutes();
    const agents = [agent('a'), agent('b')];
    const first = routes.route(agents, any, 1_000);
    const other = routes.route(agents, query, 1_000);
    expect(other).not.toBe(first);
    if (query.route.strategy !== 'random') expect(other).toEqual(routeAgents(agents, query, 1_000));
  });

  it.each([
    ['a lease runs out', { leaseExpiresAt: 5_000 }],
    ['an ejection ends', { suspectUntil: 5_000, ejections: 1, ejectedAt: 500 }],
  ])('works it out anew when %s', (_what, more) => {
    const routes = new KnownRoutes();
    const agents = [agent('a'), agent('b', more), agent('c')];
    const before = routes.route(agents, any, 4_999);
    expect(routes.route(agents, any, 4_999)).toBe(before);
    const after = routes.route(agents, any, 5_000);
    expect(after).toEqual(routeAgents(agents, any, 5_000));
    expect(after.candidates).not.toEqual(before.candidates);
  });
});
