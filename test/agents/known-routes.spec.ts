import { routeAgents, type RouteQuery } from '../../src/agents/agent-router.js';
import { KnownRoutes } from '../../src/agents/known-routes.js';
import { agentEntry as agent, NOW } from './agent-entries.js';

const any: RouteQuery = { route: { strategy: 'round-robin' }, jobName: 'job' };

describe('KnownRoutes', () => {
  it('works the route of one look out once', () => {
    const routes = new KnownRoutes();
    const agents = [agent('a'), agent('b')];
    const first = routes.route(agents, any, NOW);
    expect(first).toEqual(routeAgents(agents, any, NOW));
    expect(routes.route(agents, { ...any, avoidAgentIds: [] }, NOW + 1)).toBe(first);
    expect(routes.route([...agents], any, NOW + 1)).not.toBe(first);
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
    const first = routes.route(agents, any, NOW);
    const other = routes.route(agents, query, NOW);
    expect(other).not.toBe(first);
    if (query.route.strategy !== 'random') expect(other).toEqual(routeAgents(agents, query, NOW));
  });

  it.each([
    ['a lease runs out', { leaseExpiresAt: NOW + 500 }],
    ['an ejection ends', { suspectUntil: NOW + 500, ejections: 1, ejectedAt: NOW - 500 }],
  ])('works it out anew when %s', (_what, more) => {
    const routes = new KnownRoutes();
    const agents = [agent('a'), agent('b', more), agent('c')];
    const before = routes.route(agents, any, NOW + 499);
    expect(routes.route(agents, any, NOW + 499)).toBe(before);
    const after = routes.route(agents, any, NOW + 500);
    expect(after).toEqual(routeAgents(agents, any, NOW + 500));
    expect(after.candidates).not.toEqual(before.candidates);
  });
});
