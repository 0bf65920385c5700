import { eventually } from '../support/eventually.js';
import { frame, requestFrame, type TcpPeer } from '../support/tcp-peer.js';
import { CommandApp } from './command-app.js';

const submit = (payload: unknown) => ({ job: { name: 'crawl', payload } });

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { value };
  return value;
}

describe('requests', () => {
  let commandApp: CommandApp;
  let peer: TcpPeer;

  beforeAll(async () => {
    commandApp = await CommandApp.start({ maxJsonDepth: 64, maxInFlightCommands: 5, commandTimeoutMs: 20_000 });
    peer = await commandApp.peer();
  });
  afterAll(() => commandApp.close());
  beforeEach(() => {
    commandApp.witness.calls.length = 0;
    commandApp.witness.contexts.length = 0;
  });

  describe('patterns', () => {
    it.each([
      ['an unknown one', 'no.such.command'],
      ['one of the prototype', '__proto__'],
      ['another of the prototype', 'constructor'],
      ['toString', 'toString'],
      ['one that is JSON of a known one', '"system.health"'],
      ['one with other case', 'System.Health'],
      ['an empty one', ''],
      ['a number', 7],
      ['null', null],
      ['nothing', undefined],
      ['an object', { cmd: 'system.health' }],
      ['an array', ['system.health']],
      ['a deep object', nested(1_000)],
    ])('answers NOT_FOUND to %s', async (_what, pattern) => {
      expect(await peer.code(pattern, {})).toBe('NOT_FOUND');
    });

    it('answers NOT_FOUND to a pattern that is too deep to be written as JSON again', async () => {
      peer.write(frame(`{"id":"abyss-pattern","pattern":${'['.repeat(20_000)}${']'.repeat(20_000)},"data":{}}`));
      expect((await peer.replyTo('abyss-pattern')).err).toMatchObject({ code: 'NOT_FOUND' });
    });

    it('names the pattern, cut to 100 characters', async () => {
      const { err } = await peer.ask('p'.repeat(5_000), {});
      expect(err!.message).toContain('p'.repeat(100));
      expect(err!.message.length).toBeLessThan(150);
    });

    it('does not serve a handler that is not in the contract', async () => {
      expect(await peer.code('stranger.danger', {})).toBe('NOT_FOUND');
      expect(commandApp.witness.calls).toEqual([]);
    });

    it('says of a command of the contract without handler that this version does not serve it', async () => {
      const { err } = await peer.ask('schedule.pause', { id: 'a' });
      expect(err).toMatchObject({
        code: 'NOT_FOUND',
        message: 'schedule.pause is not served by this version',
        retryable: false,
      });
    });

    it('serves one that it knows', async () => {
      expect(await peer.code('system.health', {})).toBe('OK');
    });
  });

  describe('payloads', () => {
    it.each([
      ['unknown field', 'system.health', { surprise: 1 }, '', /surprise/],
      ['wrong type', 'agent.drain', { agentId: 5 }, 'agentId', /string/],
      ['missing field', 'agent.drain', {}, 'agentId', /string/],
      ['negative number', 'agent.list', { limit: -1 }, 'limit', />=1/],
      ['zero', 'agent.list', { limit: 0 }, 'limit', />=1/],
      ['fraction', 'agent.list', { limit: 1.5 }, 'limit', /int/],
      ['number beyond the limit', 'agent.list', { limit: 501 }, 'limit', /<=500/],
      ['huge number', 'agent.list', { limit: 1e308 }, 'limit', /./],
      ['deadline beyond the limit', 'system.health', { deadlineMs: 600_001 }, 'deadlineMs', /<=600000/],
      ['negative deadline', 'system.health', { deadlineMs: -1 }, 'deadlineMs', />=1/],
      ['prototype key', 'system.health', JSON.parse('{"__proto__":{"deadlineMs":1}}'), '', /__proto__/],
      ['constructor key', 'system.health', { constructor: { prototype: {} } }, '', /constructor/],
      ['array as payload', 'system.health', [], '', /object/],
      ['text as payload', 'system.health', 'hello', '', /object/],
      ['number as payload', 'system.health', 5, '', /object/],
      ['nested wrong type', 'job.submit', { job: { name: 'x', headers: { a: 1 } } }, 'job.headers.a', /string/],
    ])('refuses: %s', async (_what, pattern, data, path, message) => {
      const { err } = await peer.ask(pattern, data);
      expect(err).toMatchObject({ code: 'INVALID_ARGUMENT', retryable: false });
      const issues = err!.details!.issues as { path: string; message: string }[];
      expect(issues).toContainEqual({ path, message: expect.stringMatching(message) });
      expect(commandApp.witness.calls).toEqual([]);
    });

    it('refuses a number that JSON can write but no double can hold', async () => {
      peer.write(frame('{"id":"big","pattern":"agent.list","data":{"limit":1e400}}'));
      expect((await peer.replyTo('big')).err).toMatchObject({ code: 'INVALID_ARGUMENT' });
    });

    it('tells at most 20 issues, of bounded length', async () => {
      const data = {
        job: { name: 'x', headers: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`h${i}`, i])) },
      };
      const { err } = await peer.ask('job.submit', data);
      expect(err!.details!.issues).toHaveLength(20);
      const many = await peer.ask(
        'system.health',
        Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`k${i}`, i])),
      );
      expect(JSON.stringify(many.err).length).toBeLessThan(2_000);
      const longKey = await peer.ask('job.submit', { job: { name: 'x', headers: { ['k'.repeat(5_000)]: 1 } } });
      expect(JSON.stringify(longKey.err).length).toBeLessThan(3_000);
    });

    it('takes a full one, with defaults filled in', async () => {
      const { response } = await peer.ask('agent.list', { limit: 500, deadlineMs: 600_000, requestId: 'r-1' });
      expect(response).toMatchObject({
        request: { limit: 500, deadlineMs: 600_000, requestId: 'r-1', namespace: 'default' },
        requestId: 'r-1',
        pattern: 'agent.list',
      });
    });

    it.each([
      ['none', '{"id":"ID","pattern":"agent.list"}'],
      ['null', '{"id":"ID","pattern":"agent.list","data":null}'],
      ['{}', '{"id":"ID","pattern":"agent.list","data":{}}'],
    ])('takes %s as {}', async (what, json) => {
      peer.write(frame(json.replace('ID', `data-${what}`)));
      expect((await peer.replyTo(`data-${what}`)).response).toMatchObject({
        request: { limit: 50, namespace: 'default' },
      });
    });

    it('refuses a key __proto__ in a free payload, however deep, and takes every other key', async () => {
      for (const text of ['{"__proto__":{"polluted":true}}', '[{"a":[{"__proto__":null}]}]']) {
        const { err } = await peer.ask('job.submit', submit(JSON.parse(text)));
        expect(err).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('__proto__') });
      }
      expect(commandApp.witness.calls).toEqual([]);
      const free = { constructor: { prototype: { polluted: true } }, toString: 1, proto: '__proto__' };
      expect(await peer.ask('job.submit', submit(free))).toMatchObject({ response: { payload: free } });
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    });

    it('refuses a map of too many entries with one issue, and takes one at the limit', async () => {
      const headers = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`h${i}`, 'v']));
      const { err } = await peer.ask('job.submit', { job: { name: 'x', headers: headers(101) } });
      expect(err!.details!.issues).toEqual([{ path: 'job.headers', message: 'must have at most 100 entries' }]);
      expect(await peer.code('job.submit', { job: { name: 'x', headers: headers(100) } })).toBe('OK');
    });

    it('refuses a payload nested too deep, and takes one at the limit', async () => {
      // Two levels are the request and its job.
      expect(await peer.code('job.submit', submit(nested(62)))).toBe('OK');
      const { err } = await peer.ask('job.submit', submit(nested(63)));
      expect(err).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('MAX_JSON_DEPTH') });
      peer.write(frame(`{"id":"abyss","pattern":"job.submit","data":${'['.repeat(50_000)}${']'.repeat(50_000)}}`));
      expect((await peer.replyTo('abyss')).err).toMatchObject({ code: 'INVALID_ARGUMENT' });
    });
  });

  describe('answers', () => {
    it('sends an error of the contract as it was thrown', async () => {
      expect((await peer.ask('schedule.get', { id: 'abc' })).err).toEqual({
        code: 'NOT_FOUND',
        message: 'no schedule abc',
        retryable: false,
        details: { id: 'abc' },
      });
    });

    it('hides the text of a defect', async () => {
      const reply = await peer.ask('schedule.get', { id: 'defect' });
      expect(reply.err).toEqual({ code: 'INTERNAL', message: 'internal error', retryable: false });
    });

    it('answers INTERNAL when a reply cannot be written as JSON', async () => {
      expect(await peer.code('schedule.get', { id: 'cyclic' })).toBe('INTERNAL');
      expect(await peer.code('system.health')).toBe('OK');
    });

    it('sends null for undefined, and one packet for a stream', async () => {
      expect(await peer.ask('schedule.get', { id: 'nothing' })).toMatchObject({ response: null, isDisposed: true });
      expect(await peer.ask('schedule.get', { id: 'stream' })).toMatchObject({ response: 3, isDisposed: true });
    });
  });

  describe('deadlines', () => {
    it('tells the handler its absolute deadline: deadlineMs, or the default', async () => {
      const before = Date.now();
      const explicit = await peer.ask('agent.list', { deadlineMs: 10_000 });
      const byDefault = await peer.ask('agent.list', {});
      const after = Date.now();
      const explicitAt = (explicit.response as { deadlineAt: number }).deadlineAt;
      const defaultAt = (byDefault.response as { deadlineAt: number }).deadlineAt;
      expect(explicitAt).toBeGreaterThanOrEqual(before + 10_000);
      expect(explicitAt).toBeLessThanOrEqual(after + 10_000);
      expect(defaultAt).toBeGreaterThanOrEqual(before + 20_000);
      expect(defaultAt).toBeLessThanOrEqual(after + 20_000);
    });

    it('answers DEADLINE_EXCEEDED once when the handler is late, and drops the late answer', async () => {
      const before = commandApp.server.stats();
      peer.write(requestFrame('late', 'agent.drain', { agentId: 'a', deadlineMs: 200 }));
      expect((await peer.replyTo('late')).err).toMatchObject({ code: 'DEADLINE_EXCEEDED', retryable: true });
      expect(commandApp.server.stats()).toMatchObject({
        inFlightCount: 0,
        overdueHandlersCount: before.overdueHandlersCount + 1,
      });
      expect(commandApp.witness.contexts[0].signal.aborted).toBe(true);
      commandApp.witness.release();
      await eventually(() => commandApp.server.stats().lateAnswersCount === before.lateAnswersCount + 1);
      expect(commandApp.server.stats().overdueHandlersCount).toBe(before.overdueHandlersCount);
      expect(await peer.code('system.health')).toBe('OK');
      expect(peer.replies.filter(({ id }) => id === 'late')).toHaveLength(1);
    });

    it('answers with the value of a handler that is in time', async () => {
      peer.write(requestFrame('in-time', 'agent.drain', { agentId: 'a', deadlineMs: 15_000 }));
      await eventually(() => commandApp.witness.contexts.length === 1);
      expect(commandApp.witness.contexts[0].signal.aborted).toBe(false);
      commandApp.witness.release();
      expect((await peer.replyTo('in-time')).response).toEqual({ agentId: 'a' });
      // The deadline of an answered command does not fire.
      expect(commandApp.witness.contexts[0].signal.aborted).toBe(false);
    });

    it('fires the signal at the deadline and sends what the handler says about it', async () => {
      const { err } = await peer.ask('agent.undrain', { agentId: 'a-7', deadlineMs: 200 });
      expect(err).toMatchObject({ code: 'DEADLINE_EXCEEDED', message: 'given up', details: { agentId: 'a-7' } });
    });

    it('fires the signal when the connection of the caller closes', async () => {
      const leaving = await commandApp.peer();
      leaving.write(
        requestFrame('x', 'agent.undrain', { agentId: 'used' }) +
          requestFrame('y', 'agent.drain', { agentId: 'unused' }),
      );
      await eventually(() => commandApp.witness.contexts.length === 2);
      const [used, unused] = commandApp.witness.contexts;
      expect(used.signal.aborted).toBe(false);
      await leaving.close();
      await eventually(() => used.signal.aborted);
      // Asked for only now: too late to listen, so it says at once that it is over.
      expect(unused.signal.aborted).toBe(true);
      commandApp.witness.release();
      await eventually(() => commandApp.server.stats().inFlightCount === 0);
    });
  });

  it('answers RATE_LIMITED beyond the commands in flight, and serves again when they have ended', async () => {
    const others = [await commandApp.peer(), await commandApp.peer()];
    const hold = (by: TcpPeer, id: string) => by.write(requestFrame(id, 'agent.drain', { agentId: 'a' }));
    for (let i = 0; i < 3; i++) hold(peer, `held-${i}`);
    await eventually(() => commandApp.witness.contexts.length === 3);
    // One connection gets no more than are left then; others do.
    expect((await peer.ask('system.health')).err).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    for (const other of others) {
      expect(await other.code('system.health')).toBe('OK');
      hold(other, 'held');
    }
    await eventually(() => commandApp.witness.contexts.length === 5);
    const last = await commandApp.peer();
    expect(await last.code('system.health')).toBe('RATE_LIMITED');
    commandApp.witness.release();
    for (let i = 0; i < 3; i++) expect((await peer.replyTo(`held-${i}`)).err).toBeUndefined();
    for (const other of others) expect((await other.replyTo('held')).err).toBeUndefined();
    expect(await peer.code('system.health')).toBe('OK');
    expect(await last.code('system.health')).toBe('OK');
    expect(commandApp.server.stats()).toMatchObject({ errorCounts: { RATE_LIMITED: 2 }, inFlightBytes: 0 });
  });
});

describe('the token', () => {
  let commandApp: CommandApp;
  const logged: string[] = [];

  beforeAll(async () => {
    commandApp = await CommandApp.start({ commanderToken: 'correct-horse' });
    commandApp.app.useLogger({
      log: (line: unknown) => logged.push(String(line)),
      warn: (line: unknown) => logged.push(String(line)),
      error: (line: unknown) => logged.push(String(line)),
    });
  });
  afterAll(async () => {
    await commandApp.close();
    commandApp.app.useLogger(false);
  });

  it('is asked of every request, also behind a right one', async () => {
    const peer = await commandApp.peer();
    const token = 'correct-horse';
    expect(await peer.code('system.health', {}, { token })).toBe('OK');
    expect(await peer.code('system.health', {})).toBe('UNAUTHENTICATED');
    expect(await peer.code('system.health', {}, { token: 'correct-horsf' })).toBe('UNAUTHENTICATED');
    expect(await peer.code('system.health', {}, { token })).toBe('OK');
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['wrong', 'battery-staple'],
    ['a beginning of it', 'correct'],
    ['longer', 'correct-horse2'],
    ['no text', 7],
    ['a list', ['correct-horse']],
    ['null', null],
  ])('refuses one that is %s, before anything else is looked at', async (_what, token) => {
    const peer = await commandApp.peer();
    expect(await peer.code('no.such.command', {}, { token })).toBe('UNAUTHENTICATED');
    expect(await peer.code('agent.list', { limit: -1 }, { token })).toBe('UNAUTHENTICATED');
    expect(await peer.code('agent.list', { limit: 1 }, { token })).toBe('UNAUTHENTICATED');
    expect(commandApp.witness.calls.filter(({ pattern }) => pattern === 'agent.list')).toEqual([]);
  });

  it('does not reach handlers', async () => {
    const peer = await commandApp.peer();
    const { response } = await peer.ask('agent.list', {}, { token: 'correct-horse' });
    expect(JSON.stringify(response)).not.toContain('correct-horse');
  });

  it('is told in the log, not once per request, and never shown', () => {
    const about = logged.filter((line) => line.includes('unauthenticated'));
    expect(about.length).toBeGreaterThan(0);
    expect(about.length).toBeLessThan(5);
    expect(logged.join('\n')).not.toMatch(/correct|battery/);
  });
});
