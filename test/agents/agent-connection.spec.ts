import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentCallError } from '../../src/agents/agent-call.error.js';
import { AgentConnection, type AgentConnectionLimits, type AgentTarget } from '../../src/agents/agent-connection.js';
import { CallStop } from '../../src/agents/call-stop.js';
import { DeadlineWheel } from '../../src/deadlines/deadline-wheel.js';
import { CommandError } from '../../src/contract/command-error.js';
import { eventually } from '../support/eventually.js';
import { TcpAgent, type TcpAgentBehaviour } from '../support/fake-agent.js';
import { executeRequest } from './replica.js';

const limits: AgentConnectionLimits = {
  connectTimeoutMs: 2_000,
  maxFrameLength: 100_000,
  maxDepth: 66,
  maxSendBufferBytes: 1_000_000,
};

const deadlines = new DeadlineWheel();
let agent: TcpAgent;
const connections: AgentConnection[] = [];

function dial(more: Partial<AgentTarget> = {}, moreLimits: Partial<AgentConnectionLimits> = {}): AgentConnection {
  const { agentId, instanceEpoch, port } = agent;
  const target = { namespace: 'default', agentId, instanceEpoch, host: '127.0.0.1', port, ...more };
  const connection = new AgentConnection(target, { ...limits, ...moreLimits }, deadlines);
  connections.push(connection);
  return connection;
}

function execute(connection: AgentConnection, runId = 'run', more: { deadlineMs?: number; stop?: CallStop } = {}) {
  const deadlineAt = Date.now() + (more.deadlineMs ?? 10_000);
  return connection.call('agent.execute', executeRequest(runId), { deadlineAt, stop: more.stop });
}

async function failure(call: Promise<unknown>): Promise<AgentCallError> {
  const error: unknown = await call.then(
    () => new Error('the call succeeded'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AgentCallError);
  return error as AgentCallError;
}

afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.close(1_000)));
  await agent.stop();
});

describe('a call', () => {
  it('brings the answer, many at once over one socket', async () => {
    agent = await TcpAgent.start({ handler: ({ runId }) => ({ runId, text: 'é😀'.repeat(100) }) });
    const connection = dial();
    const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => execute(connection, `run-${i}`)));
    answers.forEach((answer, i) => expect(answer).toEqual({ result: { runId: `run-${i}`, text: 'é😀'.repeat(100) } }));
    expect(agent.acceptedCount).toBe(1);
    expect(connection.pendingCount).toBe(0);
    expect(connection.unansweredCount).toBe(0);
  });

  it('carries the token when there is one, and none otherwise', async () => {
    agent = await TcpAgent.start({ token: 'secret' });
    const refused = await failure(execute(dial()));
    expect(refused).toMatchObject({ kind: 'protocol', outcome: 'agent-error' });
    expect([...agent.tokens]).toEqual([undefined]);
    await expect(execute(dial({}, { token: 'secret' }))).resolves.toMatchObject({ result: { ok: true } });
    expect([...agent.tokens]).toEqual([undefined, 'secret']);
  });

  it('that the handler fails says so with code, message and details', async () => {
    agent = await TcpAgent.start({
      handler: ({ runId }) => {
        if (runId === 'plain') throw new Error('page has no list');
        throw new CommandError('INVALID_ARGUMENT', 'no such site', { site: 'x' });
      },
    });
    const connection = dial();
    expect(await failure(execute(connection, 'plain'))).toMatchObject({
      kind: 'job',
      code: 'INTERNAL',
      message: 'page has no list',
      outcome: 'job-error',
    });
    expect(await failure(execute(connection, 'known'))).toMatchObject({
      kind: 'job',
      code: 'INVALID_ARGUMENT',
      message: 'no such site',
      details: { site: 'x', retryable: false },
    });
    expect(connection.isUsable).toBe(true);
  });

  it.each([
    ['RATE_LIMITED', 'busy', 'abandoned'],
    ['SHUTTING_DOWN', 'busy', 'abandoned'],
    ['NOT_FOUND', 'busy', 'abandoned'],
    ['UNAUTHENTICATED', 'protocol', 'agent-error'],
  ] as const)('that the agent answers %s failed as %s and counts as %s', async (code, kind, outcome) => {
    agent = await TcpAgent.start({ refuse: () => new CommandError(code, 'no') });
    expect(await failure(execute(dial()))).toMatchObject({ kind, outcome });
  });

  it.each([
    ['RATE_LIMITED', 'job', 'job-error'],
    ['SHUTTING_DOWN', 'job', 'job-error'],
    ['NOT_FOUND', 'job', 'job-error'],
    ['UNAUTHENTICATED', 'job', 'job-error'],
    ['DEADLINE_EXCEEDED', 'timeout', 'job-error'],
    ['CANCELLED', 'job', 'abandoned'],
  ] as const)('whose handler throws %s failed as %s and counts as %s', async (code, kind, outcome) => {
    agent = await TcpAgent.start({
      handler: () => {
        throw new CommandError(code, 'no');
      },
    });
    expect(await failure(execute(dial()))).toMatchObject({ kind, code, outcome });
  });

  it('of a pattern that the agent does not know is no failure of the job', async () => {
    agent = await TcpAgent.start();
    const error = await failure(dial().call('agent.unheard', {}, { deadlineAt: Date.now() + 5_000 }));
    expect(error.kind).toBe('protocol');
  });

  it('without an answer ends at its deadline and leaves nothing behind', async () => {
    agent = await TcpAgent.start();
    const connection = dial();
    // Dialled before: the deadline is that of the answer.
    await execute(connection, 'first');
    agent.behaviour = 'hang';
    const calls = Array.from({ length: 20 }, (_, i) => failure(execute(connection, `run-${i}`, { deadlineMs: 150 })));
    for (const error of await Promise.all(calls)) {
      expect(error).toMatchObject({ kind: 'timeout', code: 'DEADLINE_EXCEEDED', outcome: 'timeout' });
    }
    expect(connection.unansweredCount).toBe(0);
    expect(connection.pendingCount).toBe(0);
    // The peer made no sound: the next call must find out over a new connection whether it is there at all.
    expect(connection.isUsable).toBe(false);
    await eventually(() => expect(agent.openCount).toBe(0));
  });

  it('without an answer does not cost the connection when others are answered on it', async () => {
    agent = await TcpAgent.start({
      handler: ({ runId }) => (runId === 'slow' ? new Promise(() => undefined) : 'quick'),
    });
    const connection = dial();
    const slow = failure(execute(connection, 'slow', { deadlineMs: 1_500 }));
    await eventually(() => agent.executeCount === 1);
    await execute(connection, 'quick');
    expect((await slow).kind).toBe('timeout');
    expect(connection.isUsable).toBe(true);
    await expect(execute(connection, 'quick')).resolves.toEqual({ result: 'quick' });
  });

  it('ignores an answer that comes after its end', async () => {
    let answer: () => void = () => undefined;
    agent = await TcpAgent.start({
      handler: ({ runId }) => (runId === 'late' ? new Promise<void>((resolve) => (answer = resolve)) : runId),
    });
    const connection = dial();
    const late = failure(execute(connection, 'late', { deadlineMs: 1_500 }));
    await eventually(() => agent.executeCount === 1);
    await execute(connection, 'next');
    await late;
    answer();
    await expect(execute(connection, 'last')).resolves.toEqual({ result: 'last' });
  });

  it('ends when it is stopped, before or after it was sent', async () => {
    agent = await TcpAgent.start();
    agent.behaviour = 'hang';
    const connection = dial();
    const stop = new CallStop();
    const call = failure(execute(connection, 'run', { stop }));
    await eventually(() => agent.executeCount === 1);
    stop.stop();
    expect(await call).toMatchObject({ kind: 'aborted', code: 'CANCELLED', outcome: 'abandoned' });
    expect((await failure(execute(connection, 'run', { stop }))).kind).toBe('aborted');
    expect(agent.executeCount).toBe(1);
    expect(connection.unansweredCount).toBe(0);
  });

  it('ends when it is stopped while it waits for the connection', async () => {
    agent = await TcpAgent.start({ handler: () => 'done' });
    const connection = dial();
    const stop = new CallStop();
    const call = failure(execute(connection, 'run', { stop }));
    stop.stop();
    expect((await call).kind).toBe('aborted');
    expect(connection.pendingCount).toBe(0);
    await expect(execute(connection, 'next')).resolves.toEqual({ result: 'done' });
    expect(agent.executeCount).toBe(1);
  });

  it('has a deadline beyond what a timer holds', async () => {
    agent = await TcpAgent.start({ handler: () => 'done' });
    const call = execute(dial(), 'run', { deadlineMs: 366 * 86_400_000 });
    await expect(call).resolves.toEqual({ result: 'done' });
  });
});

describe('an agent that', () => {
  it('does not listen is unreachable: nothing was delivered', async () => {
    agent = await TcpAgent.start();
    const connection = dial();
    await execute(connection);
    await agent.die();
    const errors = await Promise.all(Array.from({ length: 5 }, () => failure(execute(dial()))));
    for (const error of errors) expect(error).toMatchObject({ kind: 'unreachable', code: 'UNAVAILABLE' });
  });

  it('has a name nobody knows is unreachable', async () => {
    agent = await TcpAgent.start();
    expect((await failure(execute(dial({ host: 'no-such-host.invalid' })))).kind).toBe('unreachable');
  });

  it('dies in the middle is lost for every call under way', async () => {
    agent = await TcpAgent.start();
    agent.behaviour = 'hang';
    const connection = dial();
    const calls = Array.from({ length: 10 }, (_, i) => failure(execute(connection, `run-${i}`)));
    await eventually(() => agent.executeCount === 10);
    await agent.die();
    for (const error of await Promise.all(calls)) {
      expect(error).toMatchObject({ kind: 'lost', code: 'UNAVAILABLE', outcome: 'agent-error' });
    }
    expect(connection.isUsable).toBe(false);
    expect(connection.unansweredCount).toBe(0);
  });

  it.each<[TcpAgentBehaviour, string]>([
    ['garbage', 'protocol'],
    ['disconnect', 'lost'],
  ])('answers with %s loses its connection', async (behaviour, kind) => {
    agent = await TcpAgent.start();
    agent.behaviour = behaviour;
    const connection = dial();
    expect((await failure(execute(connection))).kind).toBe(kind);
    expect(connection.isUsable).toBe(false);
  });

  it.each<[TcpAgentBehaviour, string]>([
    ['oversized', 'longer than 100000 characters'],
    ['deep', 'nests too deep'],
  ])('answers with %s loses that call only', async (behaviour, why) => {
    agent = await TcpAgent.start({ handler: ({ runId }) => runId });
    const connection = dial();
    agent.behaviour = behaviour;
    const error = await failure(execute(connection));
    // Its job's fault: an agent is not ejected for it, and no other one is asked for the same.
    expect(error).toMatchObject({ kind: 'job', outcome: 'job-error', code: 'INVALID_ARGUMENT' });
    expect(error.details).toEqual({ retryable: false });
    expect(error.message).toContain(why);
    agent.behaviour = 'answer';
    await expect(execute(connection, 'next')).resolves.toEqual({ result: 'next' });
    expect(agent.acceptedCount).toBe(1);
  });
});

describe('a peer that', () => {
  let server: Server;
  const sockets = new Set<Socket>();

  async function listen(onConnection: (socket: Socket) => void): Promise<number> {
    server = createServer({ pauseOnConnect: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      onConnection(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    await new Promise((resolve) => server.close(resolve));
  });

  it('never reads is refused more work, and does not hold up the close', async () => {
    agent = await TcpAgent.start();
    const port = await listen(() => undefined);
    const connection = dial({ port });
    const job = { name: 'job', payload: 'x'.repeat(500_000) };
    const calls: Promise<AgentCallError>[] = [];
    await eventually(async () => {
      const deadlineAt = Date.now() + 20_000;
      calls.push(failure(connection.call('agent.execute', executeRequest('run', { job }), { deadlineAt })));
      const first = await Promise.race([...calls, sleep(5)]);
      expect(first).toMatchObject({ kind: 'busy', code: 'RATE_LIMITED' });
    });
    await connection.close(200);
    const kinds = new Set((await Promise.all(calls)).map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(['busy', 'lost']));
  });

  it.each(['2#{}', '4#null', '3#"x"', '9#{"id":42}', '5#{oops'])(
    'sends %s does not speak the protocol',
    async (text) => {
      agent = await TcpAgent.start();
      const port = await listen((socket) => socket.write(text.padEnd(Number(text[0]) + 2)));
      const error = await failure(execute(dial({ port })));
      expect(error.kind).toBe('protocol');
    },
  );
});
