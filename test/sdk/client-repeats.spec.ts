import { CommanderClient, CommandError } from '../../src/sdk/client.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { type Answer, RawCommander, type ReceivedRequest, refusal, SILENCE } from './support/raw-commander.js';

describe('sending again', () => {
  const commanders: RawCommander[] = [];
  let client: CommanderClient;

  async function start(answer: Answer, port = 0): Promise<RawCommander> {
    const commander = await RawCommander.start(answer, port);
    commanders.push(commander);
    return commander;
  }

  afterEach(async () => {
    await client.close();
    await Promise.all(commanders.splice(0).map((commander) => commander.stop()));
  });

  /** Answers everything but the first `count` requests of a pattern, during which it cuts the connection. */
  function cutting(count: number): Answer {
    let cuts = 0;
    return ({ socket, pattern }: ReceivedRequest) => {
      if (cuts++ >= count) return pattern;
      socket.destroy();
      return SILENCE;
    };
  }

  const submit = { job: { name: 'crawl' } };
  const upsert = { id: 's', everyMs: 1_000, job: { name: 'crawl' } };

  it.each<[string, (client: CommanderClient) => Promise<unknown>]>([
    ['a read', (c) => c.runs.get({ runId: 'r' })],
    ['a list', (c) => c.schedules.list()],
    ['a declaration', (c) => c.schedules.upsert(upsert)],
    ['a submit with an idempotency key', (c) => c.jobs.submit({ ...submit, idempotencyKey: 'k' })],
    ['a trigger with an idempotency key', (c) => c.schedules.trigger({ id: 's', idempotencyKey: 'k' })],
    ['a diagnosis', (c) => c.diagnostics.summary()],
  ])('repeats %s whose reply was lost with the connection', async (_what, call) => {
    const commander = await start(cutting(2));
    client = new CommanderClient({ port: commander.port });
    expect(await call(client)).toBe(commander.requests[0]!.pattern);
    expect(commander.requests).toHaveLength(3);
    expect(commander.acceptedCount).toBe(3);
  });

  it.each<[string, (client: CommanderClient) => Promise<unknown>]>([
    ['a submit', (c) => c.jobs.submit(submit)],
    ['a trigger', (c) => c.schedules.trigger({ id: 's' })],
    ['a declaration that expects a version', (c) => c.schedules.upsert({ ...upsert, expectedVersion: 1 })],
    ['a removal', (c) => c.schedules.remove({ id: 's' })],
    ['a cancel', (c) => c.runs.cancel({ runId: 'r' })],
    ['a retry', (c) => c.runs.retry({ runId: 'r' })],
  ])('never repeats %s that may have been executed', async (_what, call) => {
    const commander = await start(cutting(1));
    client = new CommanderClient({ port: commander.port });
    await expect(call(client)).rejects.toMatchObject({ code: 'UNAVAILABLE', details: { sent: true } });
    expect(commander.requests).toHaveLength(1);
    expect(await client.system.health()).toBe('system.health');
  });

  it('never repeats what ran out of time, was refused, or met a commander without Redis', async () => {
    const answers: Record<string, unknown> = {
      a: SILENCE,
      b: refusal('RATE_LIMITED'),
      c: refusal('UNAVAILABLE', 'Redis is not reachable'),
      d: refusal('NOT_FOUND'),
    };
    const commander = await start(({ data }) => answers[data.runId]);
    client = new CommanderClient({ port: commander.port });
    // The deadline is that of the answer, not of the dialling.
    await client.connect();
    await expect(client.runs.get({ runId: 'a' }, { deadlineMs: 50 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    await expect(client.runs.get({ runId: 'b' })).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    await expect(client.runs.get({ runId: 'c' })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'Redis is not reachable',
    });
    await expect(client.runs.get({ runId: 'd' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(commander.requests).toHaveLength(4);
  });

  it('sends any command again that never left, until commander is there', async () => {
    const port = await freePort();
    client = new CommanderClient({ port });
    const reply = client.jobs.submit(submit);
    await new Promise((resolve) => setTimeout(resolve, 150));
    const commander = await start(({ pattern }) => pattern, port);
    expect(await reply).toBe('job.submit');
    expect(commander.requests).toHaveLength(1);
  });

  it('gives up after maxRepeats', async () => {
    const commander = await start(() => refusal('SHUTTING_DOWN'));
    client = new CommanderClient({ port: commander.port, maxRepeats: 3 });
    await expect(client.jobs.submit(submit)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    expect(commander.requests).toHaveLength(4);
    expect(commander.acceptedCount).toBe(4);
    await eventually(() => client.connectionCount === 0);
  });

  it('never repeats a submit whose run has ended, whatever its error is called', async () => {
    const commander = await start(() => refusal('SHUTTING_DOWN', 'the site restarts', { runId: 'r', state: 'failed' }));
    client = new CommanderClient({ port: commander.port });
    await expect(client.jobs.submit({ ...submit, wait: true })).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    expect(commander.requests).toHaveLength(1);
    // Nor is its connection given up.
    await client.system.health().catch(() => undefined);
    expect(commander.acceptedCount).toBe(1);
  });

  it('gives up at the deadline', async () => {
    client = new CommanderClient({ port: await freePort(), maxRepeats: 100 });
    await expect(client.jobs.submit(submit, { deadlineMs: 1_500 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await eventually(() => client.connectionCount === 0);
  });

  it('stops sending again when the signal fires', async () => {
    client = new CommanderClient({ port: await freePort(), maxRepeats: 100 });
    const signal = AbortSignal.timeout(80);
    const error = await client.jobs.submit(submit, { deadlineMs: 60_000, signal }).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({ code: 'CANCELLED' });
  });

  it('goes to another connection when a replica drains, without losing what that one still answers', async () => {
    let finishOld: ((reply: unknown) => void) | undefined;
    let draining = false;
    const commander = await start(({ data, pattern }) => {
      if (data.job?.name === 'long') return new Promise((resolve) => (finishOld = resolve));
      return draining ? refusal('SHUTTING_DOWN') : pattern;
    });
    const { port } = commander;
    client = new CommanderClient({ port });
    const long = client.jobs.submit({ job: { name: 'long' }, wait: true }, { deadlineMs: 30_000 });
    await eventually(() => finishOld !== undefined);

    // As a rolling update does it: the old one stops accepting, the new one takes the port.
    draining = true;
    commander.stopAccepting();
    const successor = await start(({ pattern }) => `new ${pattern}`, port);
    const replies = await Promise.all(Array.from({ length: 20 }, () => client.jobs.submit(submit)));
    expect(new Set(replies)).toEqual(new Set(['new job.submit']));
    expect(successor.acceptedCount).toBe(1);
    expect(successor.requests).toHaveLength(20);
    expect(client.connectionCount).toBe(2);

    finishOld!('old answer');
    expect(await long).toBe('old answer');
    await eventually(() => commander.sockets.size === 0);
    expect(client.connectionCount).toBe(1);
    expect(client.pendingCount).toBe(0);
  });

  it('loses no command while replicas are replaced under load', async () => {
    const port = await freePort();
    const seen: string[] = [];
    const replica = () => {
      const state = { draining: false };
      const answer: Answer = ({ data }) => {
        if (state.draining) return refusal('SHUTTING_DOWN');
        seen.push(data.job.payload);
        return data.job.payload;
      };
      return start(answer, port).then((commander) => ({ commander, state }));
    };
    let { commander, state } = await replica();
    client = new CommanderClient({ port, maxRepeats: 30 });
    const sent: Promise<unknown>[] = [];
    for (let i = 0; i < 300; i++) {
      sent.push(client.jobs.submit({ job: { name: 'crawl', payload: `p${i}` } }));
      if (i % 100 === 50) {
        state.draining = true;
        commander.stopAccepting();
        ({ commander, state } = await replica());
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const expected = Array.from({ length: 300 }, (_, i) => `p${i}`);
    expect(await Promise.all(sent)).toEqual(expected);
    expect([...seen].sort()).toEqual([...expected].sort());
    expect(client.connectionCount).toBe(1);
  });
});
