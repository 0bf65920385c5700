import { CommandError } from '../../src/contract/command-error.js';
import { eventually } from '../support/eventually.js';
import { TcpAgent } from '../support/fake-agent.js';
import { RedisServer } from '../support/redis-server.js';
import { attempt, Replica } from './replica.js';

let redis: RedisServer;
let replica: Replica;
let namespace = '';
let namespaceCount = 0;

beforeAll(async () => {
  redis = await RedisServer.start();
  replica = await Replica.start(redis.url);
});
afterAll(async () => {
  await replica.close();
  await redis.stop();
});
beforeEach(() => {
  namespaceCount += 1;
  namespace = `ns-${namespaceCount}`;
});

const registration = (agentId: string, instanceEpoch = 1, more: object = {}) => ({
  namespace,
  agentId,
  host: '127.0.0.1',
  port: 9,
  capabilities: ['job'],
  capacity: 2,
  instanceEpoch,
  ...more,
});
const register = (agentId: string, instanceEpoch = 1, more: object = {}) =>
  replica.command('agent.register', registration(agentId, instanceEpoch, more));
const heartbeat = (agentId: string, instanceEpoch = 1, inFlight = 0) =>
  replica.command('agent.heartbeat', { namespace, agentId, instanceEpoch, inFlight });
const list = async (more: object = {}) => (await replica.command('agent.list', { namespace, ...more })).items;
const key = (...parts: string[]) => `{commander}:${parts.join(':')}`;
const keysOf = async (agentId: string) =>
  (await redis.cli('KEYS', `{commander}:agent:${namespace}:${agentId}*`)).split('\n').filter((line) => line !== '');

/** Lets the lease of an agent have run out so long ago. */
async function letLeaseRunOut(agentId: string, agoMs: number): Promise<void> {
  await redis.cli('ZADD', key('agents', namespace), 'XX', String(Date.now() - agoMs), agentId);
  replica.directory.invalidate(namespace);
}

describe('agent.register', () => {
  it('makes the agent known, with a lease and by the clock of Redis', async () => {
    const before = Number((await redis.cli('TIME')).split('\n')[0]) * 1_000;
    const reply = await register('a', 7, { labels: { zone: 'x' }, version: '1.2.3', port: 4_000 });
    expect(reply).toMatchObject({ leaseMs: 10_000, heartbeatEveryMs: 3_000 });
    expect(reply.serverTime).toBeGreaterThanOrEqual(before);
    expect(await list()).toEqual([
      {
        agentId: 'a',
        host: '127.0.0.1',
        port: 4_000,
        labels: { zone: 'x' },
        capabilities: ['job'],
        capacity: 2,
        version: '1.2.3',
        instanceEpoch: 7,
        state: 'up',
        inFlight: 0,
        reportedInFlight: 0,
        lastSeenAt: reply.serverTime,
        errorRate: 0,
        p95Ms: 0,
      },
    ]);
  });

  it('again of the same process changes what it declares and keeps its places and its drain', async () => {
    await register('a', 7);
    await replica.agents.acquire(attempt({ namespace }));
    await replica.command('agent.drain', { namespace, agentId: 'a' });
    await register('a', 7, { labels: { zone: 'y' }, capacity: 3 });
    expect(await list()).toMatchObject([{ labels: { zone: 'y' }, capacity: 3, inFlight: 1, state: 'draining' }]);
  });

  it('of a newer process replaces the older one and what it held', async () => {
    await register('a', 7);
    await replica.agents.acquire(attempt({ namespace }));
    await replica.agents.requestCancel(namespace, 'a', 'some-run');
    await replica.command('agent.drain', { namespace, agentId: 'a' });
    await register('a', 8, { port: 10 });
    expect(await list()).toMatchObject([{ instanceEpoch: 8, port: 10, inFlight: 0, state: 'up' }]);
    expect((await heartbeat('a', 8)).cancelRunIds).toEqual([]);
  });

  it('of an older process is refused and changes nothing', async () => {
    await register('a', 8);
    await expect(register('a', 7, { port: 10 })).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
      details: { instanceEpoch: 8 },
    });
    expect(await list()).toMatchObject([{ instanceEpoch: 8, port: 9 }]);
  });

  it('compares epochs as numbers, up to the largest', async () => {
    await register('a', 999);
    await register('a', 1_000);
    await expect(register('a', 999)).rejects.toMatchObject({ code: 'VERSION_CONFLICT' });
    await register('a', Number.MAX_SAFE_INTEGER);
    expect(await list()).toMatchObject([{ instanceEpoch: Number.MAX_SAFE_INTEGER }]);
    expect((await heartbeat('a', Number.MAX_SAFE_INTEGER)).unknown).toBe(false);
  });

  it('beyond MAX_AGENTS is refused while all are up; the longest gone makes room', async () => {
    const small = await Replica.start(redis.url, { MAX_AGENTS: '3' });
    try {
      for (const agentId of ['a', 'b', 'c']) await small.command('agent.register', registration(agentId));
      await expect(small.command('agent.register', registration('d'))).rejects.toMatchObject({ code: 'RATE_LIMITED' });
      await small.command('agent.register', registration('b', 2));
      await letLeaseRunOut('a', 1_000);
      await letLeaseRunOut('b', 2_000);
      await small.command('agent.register', registration('d'));
      expect((await list()).map(({ agentId }) => agentId)).toEqual(['a', 'c', 'd']);
    } finally {
      await small.close();
    }
  });

  it('in one namespace is not seen in another', async () => {
    await register('a');
    const other = await replica.command('agent.list', { namespace: `${namespace}-other` });
    expect(other.items).toEqual([]);
    await expect(replica.agents.acquire(attempt({ namespace: `${namespace}-other` }))).rejects.toMatchObject({
      code: 'NO_AGENT',
    });
  });
});

describe('the lease', () => {
  it('runs out without a heartbeat and is renewed by one', async () => {
    const quick = await Replica.start(redis.url, { AGENT_LEASE_MS: '600', AGENT_HEARTBEAT_EVERY_MS: '100' });
    try {
      for (const agentId of ['silent', 'lively']) await quick.command('agent.register', registration(agentId));
      await eventually(async () => {
        await quick.command('agent.heartbeat', { namespace, agentId: 'lively', instanceEpoch: 1, inFlight: 0 });
        const states = (await list()).map(({ agentId, state }) => [agentId, state]);
        expect(states).toEqual([
          ['lively', 'up'],
          ['silent', 'down'],
        ]);
      });
      await eventually(async () => {
        for (const agentId of ['silent', 'lively']) {
          await quick.command('agent.heartbeat', { namespace, agentId, instanceEpoch: 1, inFlight: 0 });
        }
        expect(await list({ state: 'up' })).toHaveLength(2);
      });
    } finally {
      await quick.close();
    }
  });

  it('that ran out long ago makes commander forget the agent and all its keys', async () => {
    await register('a');
    await register('b');
    const place = await replica.agents.acquire(attempt({ namespace, route: { agentIds: ['a'] } }));
    const more = await replica.agents.acquire(attempt({ namespace, route: { agentIds: ['a'] } }));
    await more.release('succeeded', 5);
    await replica.agents.requestCancel(namespace, 'a', 'some-run');
    expect(await keysOf('a')).toHaveLength(4);
    await letLeaseRunOut('a', 590_000);
    expect(await list()).toHaveLength(2);
    await letLeaseRunOut('a', 610_000);
    expect((await list()).map(({ agentId }) => agentId)).toEqual(['b']);
    expect(await keysOf('a')).toEqual([]);
    // What comes late must not bring it back.
    await place.release('succeeded', 10);
    expect(await keysOf('a')).toEqual([]);
  });

  it('leaves no key without an end, should nobody ever look again', async () => {
    await register('a');
    await heartbeat('a');
    await (await replica.agents.acquire(attempt({ namespace }))).release('succeeded', 1);
    await replica.agents.acquire(attempt({ namespace }));
    await replica.agents.requestCancel(namespace, 'a', 'some-run');
    const keys = [...(await keysOf('a')), key('agents', namespace), key('agents', namespace, 'turns')];
    expect(keys).toHaveLength(6);
    for (const one of keys) expect(Number(await redis.cli('PTTL', one))).toBeGreaterThan(1_000);
  });
});

describe('agent.heartbeat', () => {
  it('of an agent that is not on record answers unknown', async () => {
    expect(await heartbeat('a')).toEqual({ leaseMs: 10_000, cancelRunIds: [], drain: false, unknown: true });
    await register('a', 5);
    expect((await heartbeat('a', 5)).unknown).toBe(false);
  });

  it('of a process that was replaced, or never registered, answers unknown and renews nothing', async () => {
    await register('a', 5);
    await letLeaseRunOut('a', 1_000);
    expect((await heartbeat('a', 4)).unknown).toBe(true);
    expect((await heartbeat('a', 6)).unknown).toBe(true);
    expect(await list()).toMatchObject([{ state: 'down' }]);
  });

  it('answers unknown after Redis lost its memory', async () => {
    await register('a');
    await redis.cli('DEL', ...(await keysOf('a')), key('agents', namespace));
    expect((await heartbeat('a')).unknown).toBe(true);
    await register('a');
    expect((await heartbeat('a')).unknown).toBe(false);
  });

  it('repeats which runs to abort until their places are given back', async () => {
    await register('a');
    const request = attempt({ namespace });
    const place = await replica.agents.acquire(request);
    expect((await heartbeat('a')).cancelRunIds).toEqual([]);
    await expect(replica.agents.requestCancel(namespace, 'a', request.runId)).resolves.toBe(true);
    expect((await heartbeat('a')).cancelRunIds).toEqual([request.runId]);
    expect((await heartbeat('a')).cancelRunIds).toEqual([request.runId]);
    await place.release('abandoned', 1);
    expect((await heartbeat('a')).cancelRunIds).toEqual([]);
    await expect(replica.agents.requestCancel(namespace, 'nobody', 'run')).resolves.toBe(false);
  });

  it('is not told more than a thousand runs to abort', async () => {
    await register('a');
    for (let i = 0; i < 1_010; i++) await replica.agents.requestCancel(namespace, 'a', `run-${i}`);
    expect((await heartbeat('a')).cancelRunIds).toHaveLength(1_000);
  });
});

describe('agent.drain', () => {
  it('keeps new runs away until undrain, and tells the agent', async () => {
    await register('a');
    const drained = await replica.command('agent.drain', { namespace, agentId: 'a' });
    expect(drained).toMatchObject({ agentId: 'a', state: 'draining' });
    expect((await heartbeat('a')).drain).toBe(true);
    await expect(replica.agents.acquire(attempt({ namespace }))).rejects.toMatchObject({
      code: 'NO_AGENT',
      details: { agentsConsidered: [{ agentId: 'a', reason: 'draining' }] },
    });
    const back = await replica.command('agent.undrain', { namespace, agentId: 'a' });
    expect(back).toMatchObject({ agentId: 'a', state: 'up' });
    expect((await heartbeat('a')).drain).toBe(false);
    await expect(replica.agents.acquire(attempt({ namespace }))).resolves.toMatchObject({ agentId: 'a' });
  });

  it('is seen by another replica when it takes a place, whatever that one remembers', async () => {
    const other = await Replica.start(redis.url);
    try {
      await register('a');
      await other.agents.acquire(attempt({ namespace }));
      await replica.command('agent.drain', { namespace, agentId: 'a' });
      await expect(other.agents.acquire(attempt({ namespace }))).rejects.toMatchObject({ code: 'NO_AGENT' });
    } finally {
      await other.close();
    }
  });

  it.each(['agent.drain', 'agent.undrain'] as const)('%s of an unknown agent is NOT_FOUND', async (name) => {
    await expect(replica.command(name, { namespace, agentId: 'a' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await keysOf('a')).toEqual([]);
  });
});

describe('agent.deregister', () => {
  it('removes the agent and all that is kept of it', async () => {
    await register('a', 5);
    const place = await replica.agents.acquire(attempt({ namespace }));
    const reply = await replica.command('agent.deregister', { namespace, agentId: 'a', instanceEpoch: 5 });
    expect(reply).toEqual({ removed: true });
    await place.release('succeeded', 1);
    expect(await list()).toEqual([]);
    expect(await keysOf('a')).toEqual([]);
    await expect(replica.agents.acquire(attempt({ namespace }))).rejects.toMatchObject({ code: 'NO_AGENT' });
  });

  it.each([4, 6])('of another process (%i) than the one on record removes nothing', async (instanceEpoch) => {
    await register('a', 5);
    const reply = await replica.command('agent.deregister', { namespace, agentId: 'a', instanceEpoch });
    expect(reply).toEqual({ removed: false });
    expect(await list()).toHaveLength(1);
  });
});

describe('agent.list', () => {
  const ids = Array.from({ length: 23 }, (_, i) => `agent-${String(i).padStart(2, '0')}`);

  it('pages through all agents once, in the order of their ids', async () => {
    for (const agentId of [...ids].reverse()) await register(agentId);
    const seen: string[] = [];
    let cursor: string | undefined;
    let pageCount = 0;
    do {
      const page = await replica.command('agent.list', { namespace, limit: 10, cursor });
      seen.push(...page.items.map(({ agentId }) => agentId));
      cursor = page.nextCursor;
      pageCount += 1;
    } while (cursor !== undefined);
    expect(seen).toEqual(ids);
    expect(pageCount).toBe(3);
  });

  it('ends with a page that is full to the last', async () => {
    for (const agentId of ids.slice(0, 4)) await register(agentId);
    const first = await replica.command('agent.list', { namespace, limit: 2 });
    const second = await replica.command('agent.list', { namespace, limit: 2, cursor: first.nextCursor });
    expect(second.items.map(({ agentId }) => agentId)).toEqual(ids.slice(2, 4));
    expect(second.nextCursor).toBeUndefined();
  });

  it('filters by state', async () => {
    for (const agentId of ['a', 'b', 'c', 'd']) await register(agentId);
    await replica.command('agent.drain', { namespace, agentId: 'b' });
    await letLeaseRunOut('c', 1);
    await redis.cli('HSET', key('agent', namespace, 'd'), 'suspectUntil', String(Date.now() + 60_000));
    for (const [state, agentId] of [
      ['up', 'a'],
      ['draining', 'b'],
      ['down', 'c'],
      ['suspect', 'd'],
    ] as const) {
      expect(await list({ state })).toMatchObject([{ agentId, state }]);
    }
    // Draining is what an operator wants to see of one that is also down.
    await letLeaseRunOut('b', 1);
    expect(await list({ state: 'draining' })).toHaveLength(1);
  });

  it('tells the share of failed runs and the 95th percentile of the last 100', async () => {
    await register('a');
    for (let i = 1; i <= 150; i++) {
      const place = await replica.agents.acquire(attempt({ namespace }));
      await place.release(i % 5 === 0 ? 'job-error' : 'succeeded', i * 10);
    }
    expect(await list()).toMatchObject([{ errorRate: 0.2, p95Ms: 1_450, state: 'up' }]);
  });

  it('refuses a cursor that is none', async () => {
    await expect(replica.command('agent.list', { namespace, cursor: '!' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

describe('a record that is broken in Redis', () => {
  const damage: Record<string, (record: string) => string[]> = {
    'no description': (record) => ['HDEL', record, 'description'],
    'a description that is no JSON': (record) => ['HSET', record, 'description', '{'],
    'a description without labels': (record) => [
      'HSET',
      record,
      'description',
      '{"labels":null,"capabilities":[],"version":"1"}',
    ],
    'a label that is no text': (record) => [
      'HSET',
      record,
      'description',
      '{"labels":{"zone":1},"capabilities":[],"version":"1"}',
    ],
    'a capability that is no text': (record) => [
      'HSET',
      record,
      'description',
      '{"labels":{},"capabilities":[1],"version":"1"}',
    ],
    'no number': (record) => ['HSET', record, 'suspectUntil', 'x'],
    'no hash': (record) => ['SET', record, 'text'],
  };

  it.each(Object.keys(damage))('stops no other agent, is told, and is mended by registering: %s', async (what) => {
    await register('broken');
    await register('sound');
    const record = key('agent', namespace, 'broken');
    if (what === 'no hash') await redis.cli('DEL', record);
    await redis.cli(...damage[what](record));
    replica.directory.invalidate(namespace);

    const page = await replica.command('agent.list', { namespace });
    expect(page.items).toMatchObject([{ agentId: 'sound' }]);
    expect(page.broken).toEqual([{ agentId: 'broken', why: expect.any(String) }]);
    const first = await replica.command('agent.list', { namespace, limit: 1 });
    expect(first).toMatchObject({ items: [], broken: [{ agentId: 'broken' }], nextCursor: expect.any(String) });
    expect((await replica.agents.acquire(attempt({ namespace }))).agentId).toBe('sound');
    const before = await redis.cli('DUMP', record);
    for (const pattern of ['agent.drain', 'agent.undrain'] as const) {
      const asked = replica.command(pattern, { namespace, agentId: 'broken' });
      await expect(asked).rejects.toMatchObject({ code: 'BROKEN_RECORD' });
    }
    expect(await redis.cli('DUMP', record)).toBe(before);

    // What its heartbeats are told makes an agent register anew; the same process does so under the same epoch.
    expect(await heartbeat('broken')).toMatchObject({ unknown: true });
    await register('broken');
    expect(await heartbeat('broken', 1, 3)).toMatchObject({ unknown: false });
    expect(await list()).toMatchObject([{ agentId: 'broken', state: 'up', reportedInFlight: 3 }, { agentId: 'sound' }]);
  });

  it('is still that of the agent that registered with a key', async () => {
    const identityKey = 'a key of sixteen or more';
    await register('own', 1, { identityKey });
    await redis.cli('HSET', key('agent', namespace, 'own'), 'capacity', 'x');
    await expect(register('own', 2)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await register('own', 1, { identityKey });
    expect(await list()).toMatchObject([{ agentId: 'own', capacity: 2 }]);
  });
});

describe('without Redis', () => {
  it('every command answers UNAVAILABLE by its deadline, and releasing a place ends', async () => {
    const mortal = await RedisServer.start();
    const lonely = await Replica.start(mortal.url);
    const agent = await TcpAgent.start();
    try {
      await lonely.command('agent.register', agent.registration());
      const place = await lonely.agents.acquire(attempt());
      const unavailable = async (call: Promise<unknown>) => {
        const error: unknown = await call.catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(CommandError);
        expect(error).toMatchObject({ code: 'UNAVAILABLE' });
      };
      for (const away of [() => mortal.freeze(), () => mortal.kill()]) {
        await away();
        const { agentId, instanceEpoch } = agent;
        await unavailable(lonely.command('agent.register', agent.registration(), 100));
        await unavailable(lonely.command('agent.heartbeat', { agentId, instanceEpoch, inFlight: 0 }, 100));
        await unavailable(lonely.command('agent.list', {}, 100));
        await unavailable(lonely.command('agent.drain', { agentId }, 100));
        await unavailable(lonely.agents.acquire(attempt({ deadlineAt: Date.now() + 100 })));
        await expect(lonely.agents.cancel('default', agentId, 'run', 1, 'why', Date.now() + 100)).resolves.toBe(false);
      }
      await place.release('succeeded', 1);
      await lonely.sweep.sweep();
      await mortal.restart();
      await eventually(() => lonely.command('agent.register', agent.registration()));
    } finally {
      await lonely.close();
      await agent.stop();
      await mortal.stop();
    }
  });
});
