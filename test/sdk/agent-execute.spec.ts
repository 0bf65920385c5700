import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import { agentSideCommands } from '../../src/contract/index.js';
import { eventually } from '../support/eventually.js';
import { AgentApp } from './support/agent-app.js';
import { Crawler } from './support/crawler.js';
import { executeRequest, type RawPeer } from './support/raw-peer.js';

describe('agent.execute', () => {
  let app: AgentApp;
  let peer: RawPeer;
  let crawler: Crawler;

  beforeEach(async () => {
    app = await AgentApp.start({ agentId: 'a1', capacity: 3, drainTimeoutMs: 100, maxResultBytes: 5_000 }, [Crawler]);
    crawler = app.app.get(Crawler);
    peer = await app.peer();
  });
  afterEach(() => app.stop());

  const gated = (gate: string, rest: object = {}) =>
    peer.execute({ job: { name: 'gated', payload: { gate } }, ...rest });

  it('calls the handler with payload and context and answers its value as the result', async () => {
    const before = Date.now();
    const reply = await peer.execute({
      runId: 'r1',
      job: { name: 'echo', payload: { url: 'https://example.test/ü' }, headers: { trace: 't' } },
      attempt: 2,
      epoch: 7,
      idempotencyKey: 'k',
      deadlineMs: 4_000,
      scheduleId: 's1',
      tickAt: 1_700_000_000_000,
      shard: { index: 1, total: 4 },
    });
    expect(reply.err).toBeUndefined();
    expect(reply.response).toEqual({ result: { payload: { url: 'https://example.test/ü' } } });
    expect(agentSideCommands['agent.execute'].reply.parse(reply.response)).toBeDefined();
    const [context] = crawler.contexts;
    expect(context).toMatchObject({
      runId: 'r1',
      jobName: 'echo',
      attempt: 2,
      epoch: 7,
      idempotencyKey: 'k',
      scheduleId: 's1',
      tickAt: 1_700_000_000_000,
      shard: { index: 1, total: 4 },
      headers: { trace: 't' },
    });
    expect(context!.signal.aborted).toBe(false);
    expect(context!.deadlineAt).toBeGreaterThanOrEqual(before + 4_000);
    expect(context!.deadlineAt).toBeLessThanOrEqual(Date.now() + 4_000);
  });

  it.each([
    ['nothing', null],
    ['zero', 0],
    ['date', '1970-01-01T00:00:00.000Z'],
  ])('answers %s as JSON has it', async (what, result) => {
    expect((await peer.execute({ job: { name: 'returns', payload: { what } } })).response).toEqual({ result });
  });

  it.each([
    ['cyclic', /no JSON/],
    ['function', /no JSON but a function/],
    ['bigint', /no JSON/],
    ['large', /10002 bytes, more than 5000/],
  ])('takes a result that is %s as a failure that no retry mends', async (what, message) => {
    const { err } = await peer.execute({ job: { name: 'returns', payload: { what } } });
    expect(err).toMatchObject({ code: 'INTERNAL', retryable: false, details: { kind: 'job', retryable: false } });
    expect(err!.message).toMatch(message);
  });

  it.each([
    ['an error', 'error', { code: 'INTERNAL', message: 'broken selector', retryable: true }],
    ['a JobFailure for good', 'for good', { code: 'INTERNAL', message: 'page is gone', retryable: false }],
    ['a JobFailure', 'for now', { code: 'INTERNAL', message: 'page is slow', retryable: true }],
    ['a CommandError', 'with a code', { code: 'RATE_LIMITED', message: 'site asks for a pause', retryable: true }],
    [
      'the code of an agent that drains',
      'with our code',
      { code: 'SHUTTING_DOWN', message: 'the site restarts', retryable: true },
    ],
    ['a long message', 'at length', { code: 'INTERNAL', message: 'x'.repeat(1_000), retryable: true }],
    ['what is no error', 'without an error', { code: 'INTERNAL', message: 'just text', retryable: true }],
  ])('answers %s of a handler as a failure of the job', async (_what, how, expected) => {
    const { err } = await peer.execute({ job: { name: 'fails', payload: { how } } });
    expect(err).toMatchObject({ ...expected, details: { kind: 'job', retryable: expected.retryable } });
    if (how === 'with a code') expect(err!.details).toMatchObject({ afterMs: 5 });
    expect(app.agent.inFlightCount).toBe(0);
  });

  it('refuses a job without a handler, and not as a failure of the job', async () => {
    const { err } = await peer.execute({ job: { name: 'unknown' } });
    expect(err).toMatchObject({ code: 'NOT_FOUND' });
    expect(err!.details).toBeUndefined();
  });

  it('executes as many as its capacity and refuses the next until one has ended', async () => {
    const running = ['g1', 'g2', 'g3'].map((gate) => gated(gate));
    await eventually(() => app.agent.inFlightCount === 3);
    expect((await gated('g4')).err).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    crawler.open('g1');
    expect((await running[0]!).response).toEqual({ result: 'passed g1' });
    expect((await peer.execute({ job: { name: 'echo' } })).err).toBeUndefined();
    crawler.open('g2');
    crawler.open('g3');
    await Promise.all(running);
  });

  it('aborts the handler at the deadline and answers although it does not end', async () => {
    const obedient = await peer.execute({ runId: 'o', job: { name: 'obedient' }, deadlineMs: 50 });
    expect(obedient.err).toMatchObject({ code: 'DEADLINE_EXCEEDED', details: { kind: 'job', retryable: true } });
    expect(crawler.contexts[0]!.signal.aborted).toBe(true);
    expect(crawler.contexts[0]!.signal.reason).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await eventually(() => app.agent.inFlightCount === 0);

    const deaf = await gated('deaf', { runId: 'd', deadlineMs: 50 });
    expect(deaf.err).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    // Its place stays taken for as long as it really works.
    expect(app.agent.inFlightCount).toBe(1);
    crawler.open('deaf');
    await eventually(() => app.agent.inFlightCount === 0);
  });

  it('holds deadlines beyond what a timer holds', async () => {
    const running = gated('far', { deadlineMs: 300 * 24 * 3_600_000 });
    await eventually(() => crawler.waits('far'));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(crawler.contexts[0]!.signal.aborted).toBe(false);
    crawler.open('far');
    expect((await running).response).toEqual({ result: 'passed far' });
  });

  it('agent.cancel aborts the run it names, unless that was dispatched anew', async () => {
    const running = peer.execute({ runId: 'c', job: { name: 'obedient' }, epoch: 3 });
    await eventually(() => crawler.calls.length === 1);
    const cancel = (runId: string, epoch: number) => peer.call('agent.cancel', { runId, epoch, reason: 'not needed' });
    expect((await cancel('other', 9)).response).toEqual({ cancelled: false });
    expect((await cancel('c', 2)).response).toEqual({ cancelled: false });
    expect(crawler.contexts[0]!.signal.aborted).toBe(false);
    expect((await cancel('c', 3)).response).toEqual({ cancelled: true });
    expect((await running).err).toMatchObject({ code: 'CANCELLED', message: 'not needed', details: { kind: 'job' } });
    expect((await cancel('c', 3)).response).toEqual({ cancelled: false });
  });

  it('refuses an epoch lower than one already seen and executes a higher one', async () => {
    await peer.execute({ runId: 'f', job: { name: 'fails', payload: {} }, epoch: 5 });
    const { err } = await peer.execute({ runId: 'f', job: { name: 'echo' }, epoch: 4 });
    expect(err).toMatchObject({ code: 'VERSION_CONFLICT', details: { epoch: 5 } });
    expect((await peer.execute({ runId: 'f', job: { name: 'echo' }, epoch: 6 })).response).toBeDefined();
    expect((await peer.execute({ runId: 'g', job: { name: 'echo' }, epoch: 4 })).response).toBeDefined();
    expect(crawler.callsOf('f')).toBe(2);
  });

  it('joins a run that is dispatched again to its execution under way, whose deadline then moves', async () => {
    const first = gated('j', { runId: 'j', epoch: 1, deadlineMs: 1_500 });
    await eventually(() => crawler.waits('j'));
    const firstDeadlineAt = crawler.contexts[0]!.deadlineAt;
    const other = await app.peer();
    const second = other.execute({
      runId: 'j',
      epoch: 2,
      job: { name: 'gated', payload: { gate: 'j' } },
      deadlineMs: 20_000,
    });
    await eventually(() => crawler.contexts[0]!.deadlineAt > firstDeadlineAt);
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    expect(crawler.contexts[0]!.signal.aborted).toBe(false);
    // The cancel of the older dispatch comes too late.
    expect((await peer.call('agent.cancel', { runId: 'j', epoch: 1 })).response).toEqual({ cancelled: false });
    crawler.open('j');
    expect((await first).response).toEqual({ result: 'passed j' });
    expect((await second).response).toEqual({ result: 'passed j' });
    expect(crawler.callsOf('j')).toBe(1);
    expect(app.agent.inFlightCount).toBe(0);
  });

  it('starts anew instead of joining what was aborted, another key, or another part of the work', async () => {
    await gated('x', { runId: 'x', epoch: 1, deadlineMs: 40 });
    const anew = gated('x2', { runId: 'x', epoch: 2 });
    await eventually(() => crawler.waits('x2'));
    crawler.open('x2');
    expect((await anew).response).toEqual({ result: 'passed x2' });
    crawler.open('x');

    const parts = [0, 1].map((index) =>
      gated(`p${index}`, { runId: 'p', idempotencyKey: 'k', shard: { index, total: 2 } }),
    );
    await eventually(() => crawler.waits('p0') && crawler.waits('p1'));
    crawler.open('p0');
    crawler.open('p1');
    expect((await Promise.all(parts)).map(({ response }) => response.result)).toEqual(['passed p0', 'passed p1']);

    await peer.execute({ runId: 'k', idempotencyKey: 'one', job: { name: 'echo' } });
    await peer.execute({ runId: 'k', idempotencyKey: 'two', job: { name: 'echo' } });
    expect(crawler.callsOf('k')).toBe(2);
  });

  it('answers a repeat of a run that succeeded lately without running it, but runs again what failed', async () => {
    const first = await peer.execute({ runId: 'e', job: { name: 'echo', payload: 1 } });
    const repeat = await peer.execute({ runId: 'e', epoch: 2, job: { name: 'echo', payload: 1 } });
    expect(repeat.response).toEqual(first.response);
    expect(crawler.callsOf('e')).toBe(1);
    await peer.execute({ runId: 'n', job: { name: 'fails', payload: {} } });
    await peer.execute({ runId: 'n', epoch: 2, job: { name: 'fails', payload: {} } });
    expect(crawler.callsOf('n')).toBe(2);
  });

  it('agent.ping tells who and how busy it is', async () => {
    const running = gated('ping');
    await eventually(() => crawler.waits('ping'));
    const { response } = await peer.call('agent.ping', {});
    expect(response).toEqual({ agentId: 'a1', instanceEpoch: expect.any(Number), inFlight: 1, draining: false });
    expect(agentSideCommands['agent.ping'].reply.safeParse(response).success).toBe(true);
    crawler.open('ping');
    await running;
  });

  it.each([
    ['an unknown field', { surprise: 1 }, /surprise/],
    ['a wrong type', { epoch: 'one' }, /epoch/],
    ['a negative deadline', { deadlineMs: -1 }, /deadlineMs/],
    ['a missing job', { job: undefined }, /job/],
    ['an id that is none', { runId: '../etc' }, /runId/],
  ])('refuses %s', async (_what, change, message) => {
    const { err } = await peer.call('agent.execute', { ...executeRequest({ job: { name: 'echo' } }), ...change });
    expect(err).toMatchObject({ code: 'INVALID_ARGUMENT', details: { issues: expect.any(Array) } });
    expect(err!.message).toMatch(message);
    expect(crawler.calls).toHaveLength(0);
    expect((await peer.execute({ job: { name: 'echo' } })).err).toBeUndefined();
  });

  it('serves a stock Nest TCP client', async () => {
    const client = ClientProxyFactory.create({
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port: app.port },
    });
    const send = (pattern: string, data: unknown) => lastValueFrom(client.send(pattern, data));
    try {
      expect(await send('agent.ping', {})).toMatchObject({ agentId: 'a1' });
      const payload = { text: '热榜 🔥' };
      const executed = await Promise.all(
        Array.from({ length: 50 }, (_, i) => send('agent.cancel', { runId: `r${i}`, epoch: 1 })),
      );
      expect(executed).toEqual(Array.from({ length: 50 }, () => ({ cancelled: false })));
      expect(await send('agent.execute', executeRequest({ job: { name: 'echo', payload } }))).toEqual({
        result: { payload },
      });
      await expect(
        send('agent.execute', executeRequest({ job: { name: 'fails', payload: {} } })),
      ).rejects.toMatchObject({
        code: 'INTERNAL',
        message: 'broken selector',
      });
      await expect(send('agent.nonsense', {})).rejects.toMatchObject({ code: 'NOT_FOUND' });
    } finally {
      client.close();
    }
  });
});
