import { CommanderClient, CommandError } from '../../src/sdk/client.js';
import { BuiltApp } from '../support/built-app.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { RedisServer } from '../support/redis-server.js';
import { AgentApp } from './support/agent-app.js';
import { AgentProcess } from './support/agent-process.js';
import { Crawler } from './support/crawler.js';
import { RawPeer } from './support/raw-peer.js';

const TOKEN = 'a shared secret';
/** Short leases, so that what is gone is noticed within the test. */
const env = {
  COMMANDER_TOKEN: TOKEN,
  AGENT_LEASE_MS: '5000',
  AGENT_HEARTBEAT_EVERY_MS: '200',
  LOG_LEVEL: 'warn',
};

describe('client, commander and agent', () => {
  let redis: RedisServer;
  let commander: BuiltApp;
  let client: CommanderClient;
  let app: AgentApp | undefined;

  beforeAll(async () => {
    redis = await RedisServer.start();
    commander = await BuiltApp.start({ redisUrl: redis.url, env: { ...env, TCP_PORT: String(await freePort()) } });
  });
  afterAll(async () => {
    await commander?.stop();
    await redis?.stop();
  });
  beforeEach(() => {
    client = new CommanderClient({ port: commander.tcpPort, token: TOKEN, requestTimeoutMs: 15_000 });
  });
  afterEach(async () => {
    await app?.stop();
    app = undefined;
    await client.close();
  });

  async function startAgent(options: object = {}): Promise<Crawler> {
    app = await AgentApp.start({ commander: { port: commander.tcpPort, token: TOKEN }, ...options }, [Crawler]);
    await eventually(() => app!.agent.isRegistered);
    return app.app.get(Crawler);
  }

  const submit = (name: string, payload: object | null, rest: object = {}) =>
    client.jobs.submit({ job: { name, payload: payload as never }, wait: true, ...rest }, { deadlineMs: 20_000 });

  const once = { retry: { maxAttempts: 1 } };

  it('executes a submitted job on the agent and answers with its result', async () => {
    const crawler = await startAgent({ agentId: 'real-1', labels: { region: 'eu' }, capacity: 7, version: '2.0.0' });
    const { runId, result } = await submit('echo', { url: 'https://example.test/热榜' });
    expect(result).toEqual({ payload: { url: 'https://example.test/热榜' } });
    expect(await client.runs.get({ runId })).toMatchObject({ state: 'succeeded', agentId: 'real-1', attempt: 1 });
    expect(crawler.contexts[0]).toMatchObject({ runId, attempt: 1 });
    const { items } = await client.agents.list();
    expect(items.find(({ agentId }) => agentId === 'real-1')).toMatchObject({
      state: 'up',
      labels: { region: 'eu' },
      capacity: 7,
      version: '2.0.0',
      capabilities: ['echo', 'gated', 'obedient', 'fails', 'returns'],
    });
  });

  it('declares a schedule, runs it, stores its result, and finds the declaration unchanged the second time', async () => {
    await startAgent();
    const spec = { id: 'real-schedule', everyMs: 500, job: { name: 'echo', payload: 'tick' }, resultKey: 'real-key' };
    expect(await client.schedules.upsert(spec)).toMatchObject({ created: true, changed: true });
    expect(await client.schedules.upsert(spec)).toMatchObject({ created: false, changed: false });
    await eventually(async () => (await client.results.get({ key: 'real-key' })).version >= 2);
    expect(await client.results.get({ key: 'real-key' })).toMatchObject({ value: { payload: 'tick' }, stale: false });
    const { items } = await client.runs.list({ scheduleId: 'real-schedule' });
    expect(items.length).toBeGreaterThanOrEqual(2);
    expect(await client.schedules.remove({ id: 'real-schedule' })).toEqual({ removed: true });
    await expect(client.schedules.get({ id: 'real-schedule' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('tells a failed job from a broken agent: a failure for good is not tried again, another one is', async () => {
    const crawler = await startAgent({ agentId: 'real-fails' });
    const retry = { maxAttempts: 2, delayMs: 50 };
    const fail = async (how: string): Promise<string> => {
      const { runId } = await client.jobs.submit({ job: { name: 'fails', payload: { how } }, retry });
      await eventually(async () => (await client.runs.get({ runId })).state === 'failed');
      return runId;
    };
    const forGood = await fail('for good');
    expect(crawler.callsOf(forGood)).toBe(1);
    expect((await client.runs.get({ runId: forGood })).error).toMatchObject({
      code: 'INTERNAL',
      message: 'page is gone',
    });
    const forNow = await fail('for now');
    expect(crawler.callsOf(forNow)).toBe(2);
    for (let i = 0; i < 8; i++) await fail('for good');
    const { items } = await client.agents.list();
    expect(items.find(({ agentId }) => agentId === 'real-fails')).toMatchObject({ state: 'up' });
    expect((await submit('echo', null)).result).toEqual({ payload: null });
  });

  it('aborts the handler when the run is cancelled and when its time is up', async () => {
    const crawler = await startAgent();
    const { runId } = await client.jobs.submit({ job: { name: 'obedient' }, ...once });
    await eventually(() => crawler.callsOf(runId) === 1);
    await client.runs.cancel({ runId, reason: 'not needed' });
    await eventually(() => crawler.contexts[0]!.signal.aborted);
    expect(await client.runs.get({ runId })).toMatchObject({ state: 'cancelled' });

    const slow = await client.jobs.submit({ job: { name: 'obedient' }, timeoutMs: 1_000, ...once });
    await eventually(async () => (await client.runs.get({ runId: slow.runId })).state === 'timed-out');
    await eventually(() => crawler.contexts[1]!.signal.aborted);
  });

  it('refuses a wrong token and unknown fields', async () => {
    const stranger = new CommanderClient({ port: commander.tcpPort, token: 'guess' });
    await expect(stranger.system.health()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await stranger.close();
    await eventually(async () => expect(await client.system.health()).toMatchObject({ status: 'ok' }));
    const error = await client
      .send('run.get', { runId: 'r', surprise: 1 } as never)
      .catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('an agent process that gets SIGTERM finishes its run, and the next one goes to another agent', async () => {
    const options = { commander: { port: commander.tcpPort, token: TOKEN }, labels: { pool: 'drain' } };
    const route = { labels: { pool: 'drain' } };
    const ids = async () => (await client.agents.list()).items.map(({ agentId }) => agentId);
    const agentIds = ['drain-1', 'drain-2'];
    const [first, second] = (await Promise.all(
      agentIds.map((agentId) => AgentProcess.start({ ...options, agentId })),
    )) as [AgentProcess, AgentProcess];
    try {
      await eventually(async () => expect(await ids()).toEqual(expect.arrayContaining(agentIds)));
      const running = submit('sleep', { ms: 2_500 }, { route: { ...route, agentIds: ['drain-1'] } });
      await first.saw('started');
      first.child.kill('SIGTERM');
      const peer = await RawPeer.connect(first.port);
      await eventually(async () => (await peer.call('agent.ping', {}, { token: TOKEN })).response.draining === true);
      peer.close();
      const next = await submit('sleep', { ms: 10 }, { route });
      expect(await client.runs.get({ runId: next.runId })).toMatchObject({ state: 'succeeded', agentId: 'drain-2' });
      const { runId, result } = await running;
      expect(result).toBe('slept');
      expect(await client.runs.get({ runId })).toMatchObject({ agentId: 'drain-1', attempt: 1 });
      await first.exited;
      const left = await ids();
      expect(left).not.toContain('drain-1');
      expect(left).toContain('drain-2');
    } finally {
      first.kill();
      second.kill();
      await Promise.all([first.exited, second.exited]);
    }
  });

  it('a run whose agent is killed is executed by another one', async () => {
    const options = { commander: { port: commander.tcpPort, token: TOKEN }, labels: { pool: 'kill' } };
    const ids = ['kill-1', 'kill-2'];
    const agents = await Promise.all(ids.map((agentId) => AgentProcess.start({ ...options, agentId })));
    try {
      await eventually(async () => {
        const { items } = await client.agents.list();
        return ids.every((id) => items.some(({ agentId }) => agentId === id));
      });
      const running = submit('sleep', { ms: 1_500 }, { route: { labels: { pool: 'kill' } } });
      const victim = await eventually(() => {
        const index = agents.findIndex(({ events }) => events.some(({ event }) => event === 'started'));
        return index === -1 ? false : index;
      });
      agents[victim]!.kill();
      const { runId, result } = await running;
      expect(result).toBe('slept');
      expect(await client.runs.get({ runId })).toMatchObject({ agentId: ids[1 - victim] });
    } finally {
      for (const agent of agents) agent.kill();
      await Promise.all(agents.map((agent) => agent.exited));
    }
  });

  it('agents come back after commander lost its memory', async () => {
    await startAgent({ agentId: 'real-memory' });
    await redis.cli('FLUSHALL');
    await eventually(async () => (await client.agents.list()).items.some(({ agentId }) => agentId === 'real-memory'));
    expect((await submit('echo', 1 as never)).result).toEqual({ payload: 1 });
  });

  it('commander is killed in the middle of a run: the agent joins the repeat to the execution under way', async () => {
    const crawler = await startAgent({ agentId: 'real-crash' });
    const { runId } = await client.jobs.submit({ job: { name: 'gated', payload: { gate: runIdGate } }, ...once });
    await eventually(() => crawler.waits(runIdGate));
    const tcpPort = commander.tcpPort;
    await commander.kill();
    commander = await BuiltApp.start({
      redisUrl: redis.url,
      env: { ...env, RUN_LOCK_MS: '1000', TCP_PORT: String(tcpPort) },
    });
    await eventually(() => app!.agent.isRegistered, { timeoutMs: 20_000 });
    // Its second dispatch has a higher epoch and finds the first one still executing.
    await eventually(async () => (await client.runs.get({ runId })).epoch >= 2, { timeoutMs: 25_000 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    crawler.open(runIdGate);
    await eventually(async () => (await client.runs.get({ runId })).state === 'succeeded', { timeoutMs: 20_000 });
    expect(crawler.callsOf(runId)).toBe(1);
    expect(await client.runs.get({ runId })).toMatchObject({ attempt: 1, result: `passed ${runIdGate}` });
  }, 90_000);

  it('no command is lost when commander is replaced under load', async () => {
    await startAgent({ capacity: 50 });
    const tcpPort = commander.tcpPort;
    const patient = new CommanderClient({ port: tcpPort, token: TOKEN, maxRepeats: 60, requestTimeoutMs: 25_000 });
    const accepted: string[] = [];
    let stop = false;
    const load = (async () => {
      for (let i = 0; !stop; i++) {
        const { runId } = await patient.jobs.submit({ job: { name: 'echo', payload: i }, idempotencyKey: `load-${i}` });
        accepted.push(runId);
      }
    })();
    await eventually(() => accepted.length >= 50);
    await commander.stop();
    commander = await BuiltApp.start({ redisUrl: redis.url, env: { ...env, TCP_PORT: String(tcpPort) } });
    const before = accepted.length;
    await eventually(() => accepted.length >= before + 50);
    stop = true;
    await load;
    expect(new Set(accepted).size).toBe(accepted.length);
    await eventually(
      async () => {
        const states = await Promise.all(accepted.map(async (runId) => (await patient.runs.get({ runId })).state));
        return states.every((state) => state === 'succeeded');
      },
      { timeoutMs: 40_000, intervalMs: 500 },
    );
    expect(patient.pendingCount).toBe(0);
    expect(patient.connectionCount).toBe(1);
    await patient.close();
  }, 120_000);
});

const runIdGate = 'crash';
