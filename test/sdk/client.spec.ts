import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { CommanderClient, CommandError } from '../../src/sdk/client.js';
import { dieWithUs } from '../support/die-with-us.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { frameOf } from './support/frames.js';
import { RawCommander, refusal, SILENCE } from './support/raw-commander.js';

const schedule = { id: 's', everyMs: 1_000, job: { name: 'crawl' } };

describe('CommanderClient', () => {
  let commander: RawCommander;
  let client: CommanderClient;

  beforeEach(async () => {
    commander = await RawCommander.start(({ pattern, data }) => ({ pattern, data }));
    client = new CommanderClient({ port: commander.port });
  });

  afterEach(async () => {
    await client.close();
    await commander.stop();
  });

  const failureOf = (promise: Promise<unknown>): Promise<CommandError> =>
    promise.then(
      () => {
        throw new Error('it succeeded');
      },
      (error: CommandError) => {
        expect(error).toBeInstanceOf(CommandError);
        return error;
      },
    );

  it('sends pattern, input, namespace and deadline, and resolves with the reply', async () => {
    const reply: any = await client.send('run.get', { runId: 'r1', requestId: 'q' }, { deadlineMs: 7_000 });
    expect(reply).toEqual({
      pattern: 'run.get',
      data: { runId: 'r1', requestId: 'q', namespace: 'default', deadlineMs: expect.any(Number) },
    });
    expect(reply.data.deadlineMs).toBeLessThanOrEqual(7_000);
    expect(reply.data.deadlineMs).toBeGreaterThan(0);
    expect(commander.requests[0]!.token).toBeUndefined();
  });

  it('has a method for every command of a group', async () => {
    const replies: any[] = await Promise.all([
      client.schedules.upsert(schedule),
      client.schedules.trigger({ id: 's' }),
      client.jobs.submit({ job: { name: 'crawl' } }),
      client.runs.list(),
      client.agents.list({ state: 'up' }),
      client.results.get({ key: 'k' }),
      client.system.health(),
      client.diagnostics.summary(),
    ]);
    expect(replies.map(({ pattern }) => pattern)).toEqual([
      'schedule.upsert',
      'schedule.trigger',
      'job.submit',
      'run.list',
      'agent.list',
      'result.get',
      'system.health',
      'diagnostics.summary',
    ]);
  });

  it('sends the token beside the data, and the namespace of the options unless the request names one', async () => {
    const other = new CommanderClient({
      port: commander.port,
      token: 'secret',
      namespace: 'crawlers',
      requestTimeoutMs: 9_000,
    });
    await other.system.stats();
    await other.system.stats({ namespace: 'else', deadlineMs: 4_000 });
    await other.system.stats({ namespace: undefined });
    await other.close();
    const [first, second, third] = commander.requests;
    expect(third!.data).toMatchObject({ namespace: 'crawlers' });
    expect(first).toMatchObject({ token: 'secret', data: { namespace: 'crawlers' } });
    expect(first!.data.deadlineMs).toBeLessThanOrEqual(9_000);
    expect(second).toMatchObject({ token: 'secret', data: { namespace: 'else' } });
    expect(second!.data.deadlineMs).toBeLessThanOrEqual(4_000);
    expect(second!.data).not.toHaveProperty('token');
  });

  it('opens nothing before the first command and one connection for any number of them, with NODELAY', async () => {
    const setNoDelay = jest.spyOn(Socket.prototype, 'setNoDelay');
    expect(commander.acceptedCount).toBe(0);
    await Promise.all(Array.from({ length: 500 }, (_, i) => client.runs.get({ runId: `r${i}` })));
    for (let i = 0; i < 50; i++) await client.runs.get({ runId: `r${i}` });
    expect(commander.acceptedCount).toBe(1);
    expect(client.connectionCount).toBe(1);
    expect(client.pendingCount).toBe(0);
    expect(setNoDelay).toHaveBeenCalledWith(true);
    setNoDelay.mockRestore();
  });

  it('gives each reply to its own request when they arrive in another order', async () => {
    commander.answer = async ({ data }) => {
      await new Promise((resolve) => setTimeout(resolve, Number(data.runId.slice(1)) % 7));
      return data.runId;
    };
    const ids = Array.from({ length: 200 }, (_, i) => `r${i}`);
    expect(await Promise.all(ids.map((runId) => client.runs.get({ runId })))).toEqual(ids);
  });

  it('passes text outside ASCII and large values both ways', async () => {
    const payload = { text: '热榜 🔥 ü\u2028'.repeat(1_000), list: Array.from({ length: 5_000 }, (_, i) => i) };
    const reply: any = await client.jobs.submit({ job: { name: 'crawl', payload } });
    expect(reply.data.job.payload).toEqual(payload);
  });

  it('turns an error on the wire into a CommandError', async () => {
    commander.answer = () => refusal('VERSION_CONFLICT', 'stored is 4', { version: 4 });
    const error = await failureOf(client.schedules.upsert({ ...schedule, expectedVersion: 3 }));
    expect(error).toMatchObject({
      code: 'VERSION_CONFLICT',
      message: 'stored is 4',
      details: { version: 4 },
      retryable: false,
    });
  });

  it('resolves with falsy replies', async () => {
    const values = [0, '', false, null];
    commander.answer = ({ data }) => values[Number(data.runId.slice(1))];
    for (const [i, value] of values.entries()) expect(await client.runs.get({ runId: `r${i}` })).toBe(value);
  });

  it('throws DEADLINE_EXCEEDED by its own timer a little after the deadline, and keeps nothing of the request', async () => {
    commander.answer = ({ data }) => (data.runId === 'slow' ? SILENCE : 'fine');
    await client.runs.get({ runId: 'first' });
    const startedAt = performance.now();
    const error = await failureOf(client.runs.get({ runId: 'slow' }, { deadlineMs: 200 }));
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', details: { sent: true } });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(199);
    expect(client.pendingCount).toBe(0);
    expect(await client.runs.get({ runId: 'next' })).toBe('fine');
  });

  it('dials anew after a timeout on a connection that has gone silent', async () => {
    let mute = true;
    commander.answer = () => (mute ? SILENCE : 'fine');
    await failureOf(client.runs.get({ runId: 'slow' }, { deadlineMs: 500 }));
    mute = false;
    expect(await client.runs.get({ runId: 'next' })).toBe('fine');
    expect(commander.acceptedCount).toBe(2);
    await eventually(() => commander.sockets.size === 1);
  });

  it('ignores a reply that comes after its deadline', async () => {
    let late: (() => void) | undefined;
    commander.answer = ({ data }) =>
      data.runId === 'late' ? new Promise((resolve) => (late = () => resolve('late'))) : data.runId;
    const other = client.runs.get({ runId: 'other' });
    await failureOf(client.runs.get({ runId: 'late' }, { deadlineMs: 500 }));
    late!();
    expect(await other).toBe('other');
    expect(await client.runs.get({ runId: 'next' })).toBe('next');
    expect(client.pendingCount).toBe(0);
  });

  it('gives up a request whose signal fires between two steps of sending it', async () => {
    commander.answer = () => SILENCE;
    await client.connect();
    for (let turns = 0; turns < 12; turns += 1) {
      const controller = new AbortController();
      const request = failureOf(client.runs.get({ runId: 'r', deadlineMs: 300 }, { signal: controller.signal }));
      for (let turn = 0; turn < turns; turn += 1) await undefined;
      controller.abort();
      expect((await request).code).toBe('CANCELLED');
    }
  });

  it('gives up a request with the signal, and one whose signal had fired before', async () => {
    commander.answer = () => SILENCE;
    const controller = new AbortController();
    const request = failureOf(client.runs.get({ runId: 'r' }, { signal: controller.signal }));
    await eventually(() => commander.requests.length === 1);
    controller.abort();
    expect(await request).toMatchObject({ code: 'CANCELLED', details: { sent: true } });
    const second = await failureOf(client.runs.get({ runId: 'r' }, { signal: controller.signal }));
    expect(second).toMatchObject({ code: 'CANCELLED', details: { sent: false } });
    expect(client.pendingCount).toBe(0);
  });

  it('fails what is under way at once when the connection is lost, then works on a new one', async () => {
    commander.answer = ({ pattern }) => (pattern === 'job.submit' ? SILENCE : 'fine');
    const lost = Array.from({ length: 20 }, () =>
      failureOf(client.jobs.submit({ job: { name: 'crawl' } }, { deadlineMs: 60_000 })),
    );
    await eventually(() => commander.requests.length === 20);
    commander.cut();
    for (const error of await Promise.all(lost))
      expect(error).toMatchObject({ code: 'UNAVAILABLE', details: { sent: true } });
    expect(client.pendingCount).toBe(0);
    expect(await client.system.health()).toBe('fine');
    expect(client.connectionCount).toBe(1);
  });

  it('keeps nothing over a hundred losses and timeouts', async () => {
    commander.answer = ({ socket, data }) => {
      if (data.runId === 'cut') socket.destroy();
      return data.runId === 'ok' ? 'fine' : SILENCE;
    };
    const impatient = new CommanderClient({ port: commander.port, maxRepeats: 0 });
    for (let i = 0; i < 50; i++) {
      await failureOf(impatient.runs.get({ runId: 'cut' }));
      await failureOf(impatient.runs.get({ runId: 'slow' }, { signal: AbortSignal.timeout(5) }));
    }
    expect(await impatient.runs.get({ runId: 'ok' })).toBe('fine');
    expect(impatient.pendingCount).toBe(0);
    expect(impatient.connectionCount).toBe(1);
    await impatient.close();
    expect(impatient.connectionCount).toBe(0);
    await eventually(() => commander.sockets.size === 0);
  });

  it('refuses a request that is no JSON or too long, and leaves the connection to the others', async () => {
    const small = new CommanderClient({ port: commander.port, maxFrameBytes: 2_000 });
    expect(await small.jobs.submit({ job: { name: 'crawl', payload: 'x'.repeat(1_500) } })).toBeDefined();
    const tooLong = await failureOf(small.jobs.submit({ job: { name: 'crawl', payload: 'x'.repeat(2_000) } }));
    expect(tooLong).toMatchObject({ code: 'INVALID_ARGUMENT', details: { sent: false } });
    const bigint = await failureOf(small.jobs.submit({ job: { name: 'crawl', payload: 1n as never } }));
    expect(bigint).toMatchObject({ code: 'INVALID_ARGUMENT', details: { sent: false } });
    expect(await small.system.health()).toBeDefined();
    expect(commander.acceptedCount).toBe(1);
    await small.close();
  });

  it('refuses more requests than may wait for a commander that does not read', async () => {
    const bounded = new CommanderClient({
      port: commander.port,
      maxFrameBytes: 1_048_576,
      maxSendBufferBytes: 1_048_576,
    });
    await bounded.system.health();
    for (const socket of commander.sockets) socket.pause();
    const payload = 'x'.repeat(500_000);
    const errors = await Promise.all(
      Array.from({ length: 60 }, () =>
        failureOf(bounded.jobs.submit({ job: { name: 'crawl', payload } }, { deadlineMs: 300 })),
      ),
    );
    const codes = new Set(errors.map(({ code }) => code));
    expect(codes).toEqual(new Set(['DEADLINE_EXCEEDED', 'RATE_LIMITED']));
    expect(bounded.pendingCount).toBe(0);
    await bounded.close();
  });

  it.each([
    ['a frame without a length', 'abc#{}'],
    ['a frame that is no JSON', '3#abc'],
    ['frames that are no objects', `${frameOf(5)}${frameOf(null)}${frameOf('x')}4#true`],
    ['replies to nobody', frameOf({ id: 'nobody', response: 1 })],
  ])('survives %s from the other end', async (_what, garbage) => {
    commander.answer = ({ socket, data }) => {
      if (data.runId === 'garbage') socket.write(garbage);
      return data.runId === 'garbage' ? SILENCE : 'fine';
    };
    const error = await failureOf(client.runs.get({ runId: 'garbage' }, { deadlineMs: 200 }));
    expect(['UNAVAILABLE', 'DEADLINE_EXCEEDED']).toContain(error.code);
    expect(await client.runs.get({ runId: 'good' })).toBe('fine');
    expect(client.pendingCount).toBe(0);
  });

  it('ends a connection whose reply is longer than it accepts', async () => {
    const small = new CommanderClient({ port: commander.port, maxReplyChars: 5_000, maxRepeats: 0 });
    commander.answer = ({ data }) => 'x'.repeat(Number(data.runId));
    expect(await small.runs.get({ runId: '4000' })).toHaveLength(4_000);
    expect(await failureOf(small.runs.get({ runId: '6000' }))).toMatchObject({ code: 'UNAVAILABLE' });
    await small.close();
  });

  it('does not wait for ever for a connection that is never accepted', async () => {
    const port = await freePort();
    // A stopped process accepts nothing; with its backlog full the kernel drops every further SYN.
    const program = `require('net').createServer().listen({ port: ${port}, host: '127.0.0.1', backlog: 1 }, () => console.log('up'))`;
    const listener = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
    const release = dieWithUs(listener.pid!);
    await once(listener.stdout, 'data');
    listener.kill('SIGSTOP');
    const fillers: Socket[] = [];
    const patient = new CommanderClient({ port, connectTimeoutMs: 150, maxRepeats: 1 });
    try {
      do {
        fillers.push(connect(port, '127.0.0.1').on('error', () => undefined));
        // With room in the backlog it is connected by then, also on a slow machine.
        await new Promise((resolve) => setTimeout(resolve, 500));
      } while (!fillers.at(-1)!.connecting && fillers.length < 50);
      const error = await failureOf(patient.system.health({}, { deadlineMs: 10_000 }));
      expect(error).toMatchObject({ code: 'UNAVAILABLE', details: { sent: false } });
      expect(error.message).toContain('150 ms');
      await patient.close();
      expect(patient.connectionCount).toBe(0);
    } finally {
      for (const filler of fillers) filler.destroy();
      listener.kill('SIGKILL');
      await once(listener, 'exit');
      release();
    }
  });

  it('says what it could not reach', async () => {
    const port = await freePort();
    const nobody = new CommanderClient({ port, maxRepeats: 1 });
    const error = await failureOf(nobody.system.health());
    expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable: true, details: { sent: false } });
    expect(error.message).toContain(`127.0.0.1:${port}`);
    expect(error.message).toContain('ECONNREFUSED');
    await expect(nobody.connect()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await nobody.close();
  });

  it('fails what is under way on close, closes the socket, and takes nothing afterwards', async () => {
    commander.answer = () => SILENCE;
    const underWay = failureOf(client.runs.get({ runId: 'r' }, { deadlineMs: 60_000 }));
    await eventually(() => commander.requests.length === 1);
    await Promise.all([client.close(), client.close()]);
    expect(await underWay).toMatchObject({ code: 'UNAVAILABLE' });
    await eventually(() => commander.sockets.size === 0);
    expect(await failureOf(client.system.health())).toMatchObject({ code: 'UNAVAILABLE', details: { sent: false } });
    expect(commander.acceptedCount).toBe(1);
  });

  it('closes within its deadline although the other end does not read', async () => {
    await client.connect();
    await eventually(() => commander.sockets.size === 1);
    for (const socket of commander.sockets) socket.pause();
    const submits = Array.from({ length: 20 }, () =>
      failureOf(client.jobs.submit({ job: { name: 'c', payload: 'x'.repeat(400_000) } })),
    );
    await new Promise((resolve) => setImmediate(resolve));
    const startedAt = performance.now();
    await client.close();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await Promise.all(submits);
    expect(client.connectionCount).toBe(0);
  });

  it('refuses options that make no sense, naming them', () => {
    expect(() => new CommanderClient({ port: 70_000 })).toThrow(/CommanderClient options: port/);
    expect(() => new CommanderClient({ requestTimeoutMS: 5 } as never)).toThrow(/requestTimeoutMS/);
    expect(() => new CommanderClient({ port: 7_000, requestTimeoutMs: 5 })).not.toThrow();
  });
});
