import { hostname } from 'node:os';
import type { LoggerService } from '@nestjs/common';
import { commands } from '../../src/contract/index.js';
import { JobHandler } from '../../src/sdk/agent.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { outsideAddress } from '../support/outside-address.js';
import { AgentApp } from './support/agent-app.js';
import { Crawler } from './support/crawler.js';
import { agentAnswers, type Answer, RawCommander, refusal, SILENCE } from './support/raw-commander.js';

describe('registration', () => {
  let commander: RawCommander | undefined;
  let app: AgentApp | undefined;

  afterEach(async () => {
    await app?.stop();
    await commander?.stop();
    app = commander = undefined;
  });

  async function start(overrides: Record<string, Answer> = {}, options: object = {}): Promise<AgentApp> {
    commander = await RawCommander.start(agentAnswers(overrides));
    app = await AgentApp.start({ commander: { port: commander.port }, agentId: 'a1', ...options }, [Crawler]);
    return app;
  }

  function logger(): LoggerService & { lines: string[] } {
    const lines: string[] = [];
    const take = (message: unknown) => void lines.push(String(message));
    return { lines, log: take, warn: take, error: take, debug: () => undefined };
  }

  it('registers after bootstrap with all that commander has to know', async () => {
    const before = Date.now();
    const { agent } = await start(
      {},
      { labels: { region: 'eu' }, capacity: 4, version: '1.2.3', namespace: 'crawlers' },
    );
    await eventually(() => agent.isRegistered);
    const { data } = commander!.received('agent.register')[0]!;
    expect(commands['agent.register'].request.safeParse(data).error).toBeUndefined();
    expect(data).toMatchObject({
      agentId: 'a1',
      host: '127.0.0.1',
      port: agent.address!.port,
      labels: { region: 'eu' },
      capabilities: ['echo', 'gated', 'obedient', 'fails', 'returns'],
      capacity: 4,
      version: '1.2.3',
      namespace: 'crawlers',
    });
    expect(data.instanceEpoch).toBeGreaterThanOrEqual(before);
    expect(data.instanceEpoch).toBeLessThanOrEqual(Date.now());
  });

  it('names itself after host and process unless it is given a name', async () => {
    const { agent } = await start({}, { agentId: undefined });
    expect(agent.agentId).toBe(`${hostname()}-${process.pid}`);
    await eventually(() => agent.isRegistered);
  });

  it.each([
    ['the listen host', {}, '127.0.0.1'],
    ['advertiseHost', { advertiseHost: 'agent-1.crawlers.svc' }, 'agent-1.crawlers.svc'],
    [
      'its own address towards commander when it listens everywhere',
      { listenHost: '0.0.0.0', insecureBind: true },
      '127.0.0.1',
    ],
  ])('tells commander to dial %s', async (_what, options, host) => {
    const { agent } = await start({}, options);
    await eventually(() => agent.isRegistered);
    expect(commander!.received('agent.register')[0]!.data.host).toBe(host);
  });

  (outsideAddress === undefined ? it.skip : it)(
    'warns once when a commander on another host is told to dial this one as its own',
    async () => {
      const told = (log: { lines: string[] }) =>
        log.lines.filter((line) => line.includes('set listenHost and advertiseHost'));
      commander = await RawCommander.start(agentAnswers(), 0, '0.0.0.0');
      const { port } = commander;
      const agent = async (options: object) => {
        const log = logger();
        app = await AgentApp.start({ agentId: 'a1', ...options }, [Crawler], log);
        await eventually(() => app!.agent.isRegistered);
        await app.stop();
        return log;
      };
      const elsewhere = { host: outsideAddress, port };
      expect(told(await agent({ commander: elsewhere }))).toHaveLength(1);
      expect(told(await agent({ commander: elsewhere, listenHost: '0.0.0.0', agentToken: 'secret' }))).toEqual([]);
      expect(told(await agent({ commander: elsewhere, advertiseHost: 'agent-1' }))).toEqual([]);
      expect(told(await agent({ commander: { port } }))).toEqual([]);
    },
  );

  it('refuses to start with more than commander takes of one agent', async () => {
    const labels = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`label-${index}`, '']));
    await expect(AgentApp.start({ labels }, [Crawler])).rejects.toThrow(/labels.*at most 100/);
    class Many {}
    for (let index = 0; index < 501; index++) {
      Object.defineProperty(Many.prototype, `job${index}`, {
        value: () => undefined,
        writable: true,
        configurable: true,
      });
      const descriptor = Object.getOwnPropertyDescriptor(Many.prototype, `job${index}`)!;
      JobHandler(`job-${index}`)(Many.prototype, `job${index}`, descriptor);
    }
    await expect(AgentApp.start({}, [Many])).rejects.toThrow('501 job handlers; commander takes 500');
  });

  it('sends heartbeats as often as it was told, on the one connection, with the token', async () => {
    commander = await RawCommander.start(agentAnswers());
    app = await AgentApp.start({ commander: { port: commander.port, token: 'secret' }, agentId: 'a1' }, [Crawler]);
    await eventually(() => commander!.received('agent.heartbeat').length >= 8);
    expect(commander.acceptedCount).toBe(1);
    expect(new Set(commander.requests.map(({ token }) => token))).toEqual(new Set(['secret']));
    const { data } = commander.received('agent.heartbeat')[0]!;
    expect(commands['agent.heartbeat'].request.safeParse(data).error).toBeUndefined();
    expect(data).toMatchObject({ agentId: 'a1', inFlight: 0 });
    expect(commander.received('agent.register')).toHaveLength(1);
    // Told 50 ms, with jitter 40–50. A busy machine sleeps longer now and then, and hears several at once after it.
    await eventually(() => commander!.received('agent.heartbeat').length >= 20);
    const times = commander.received('agent.heartbeat').map(({ atMs }) => atMs);
    expect(times.length).toBeLessThanOrEqual((times.at(-1)! - times[0]!) / 40 + 3);
    const gaps = times.slice(1).map((atMs, index) => atMs - times[index]!);
    expect(gaps.sort((one, other) => one - other)[gaps.length >> 1]).toBeLessThan(166);
  });

  it('tells how many runs are under way', async () => {
    await start();
    const peer = await app!.peer();
    const running = peer.execute({ job: { name: 'gated', payload: { gate: 'g' } } });
    await eventually(() => commander!.received('agent.heartbeat').some(({ data }) => data.inFlight === 1));
    app!.app.get(Crawler).open('g');
    await running;
    await eventually(() => commander!.received('agent.heartbeat').at(-1)!.data.inFlight === 0);
  });

  it('aborts the runs that a heartbeat lists, whatever their epoch, and no others', async () => {
    let cancelRunIds: string[] = [];
    await start({ 'agent.heartbeat': () => ({ leaseMs: 1_000, cancelRunIds, drain: false, unknown: false }) });
    const peer = await app!.peer();
    const first = peer.execute({ runId: 'r1', epoch: 4, job: { name: 'obedient' } });
    const second = peer.execute({ runId: 'r2', job: { name: 'gated', payload: { gate: 'g' } } });
    await eventually(() => app!.agent.inFlightCount === 2);
    cancelRunIds = ['r1', 'nobody'];
    expect((await first).err).toMatchObject({ code: 'CANCELLED' });
    app!.app.get(Crawler).open('g');
    expect((await second).response).toEqual({ result: 'passed g' });
  });

  it('registers again when commander does not know it any more', async () => {
    let unknown = false;
    await start({
      'agent.heartbeat': () => {
        const reply = { leaseMs: 1_000, cancelRunIds: [], drain: false, unknown };
        unknown = false;
        return reply;
      },
    });
    await eventually(() => commander!.received('agent.heartbeat').length >= 2);
    expect(commander!.received('agent.register')).toHaveLength(1);
    unknown = true;
    await eventually(() => commander!.received('agent.register').length === 2);
    const [first, second] = commander!.received('agent.register').map(({ data }) => data.instanceEpoch);
    expect(second).toBe(first);
    const beats = commander!.received('agent.heartbeat').length;
    await eventually(() => commander!.received('agent.heartbeat').length > beats + 1);
    expect(app!.agent.isRegistered).toBe(true);
    expect(commander!.acceptedCount).toBe(1);
  });

  it('starts without commander, keeps trying, says so once, and registers when commander comes', async () => {
    const log = logger();
    const port = await freePort();
    app = await AgentApp.start({ commander: { port }, agentId: 'a1', connectTimeoutMs: 100 }, [Crawler], log);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(app.agent.isRegistered).toBe(false);
    expect(log.lines.filter((line) => line.includes('not registered'))).toHaveLength(1);
    commander = await RawCommander.start(agentAnswers(), port);
    await eventually(() => app!.agent.isRegistered, { timeoutMs: 15_000 });
    expect(log.lines.filter((line) => line.includes('registered as a1'))).toHaveLength(1);
  });

  it('comes back after commander was away, on one new connection', async () => {
    await start();
    await eventually(() => app!.agent.isRegistered);
    const { port } = commander!;
    await commander!.stop();
    await eventually(() => !app!.agent.isRegistered);
    commander = await RawCommander.start(agentAnswers(), port);
    await eventually(() => app!.agent.isRegistered, { timeoutMs: 15_000 });
    await eventually(() => commander!.received('agent.heartbeat').length >= 3);
    expect(commander.received('agent.register').length).toBeGreaterThanOrEqual(1);
    expect(commander.sockets.size).toBe(1);
  });

  it.each([
    ['refuses the token', () => refusal('UNAUTHENTICATED')],
    ['knows a newer process of this agent', () => refusal('ALREADY_EXISTS')],
    ['does not answer', () => SILENCE],
  ])('tries on patiently while commander %s', async (_what, answer) => {
    let refuse = true;
    const register = agentAnswers();
    await start({ 'agent.register': (request) => (refuse ? answer() : register(request)) });
    await eventually(() => commander!.received('agent.register').length >= 1);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(app!.agent.isRegistered).toBe(false);
    // Backoff: 200, 400, 800 … ms, so a handful at most.
    expect(commander!.received('agent.register').length).toBeLessThanOrEqual(6);
    expect(commander!.received('agent.heartbeat')).toHaveLength(0);
    refuse = false;
    await eventually(() => app!.agent.isRegistered, { timeoutMs: 20_000 });
  });

  it('shows in the ping that commander wants it drained', async () => {
    let drain = true;
    await start({ 'agent.heartbeat': () => ({ leaseMs: 1_000, cancelRunIds: [], drain, unknown: false }) });
    const peer = await app!.peer();
    await eventually(async () => (await peer.call('agent.ping', {})).response.draining === true);
    drain = false;
    await eventually(async () => (await peer.call('agent.ping', {})).response.draining === false);
  });

  it('deregisters when the app closes, after the last heartbeat, and leaves no connection', async () => {
    await start();
    await eventually(() => app!.agent.isRegistered);
    const { instanceEpoch } = commander!.received('agent.register')[0]!.data;
    await app!.stop();
    await eventually(() => commander!.sockets.size === 0);
    expect(commander!.requests.at(-1)).toMatchObject({
      pattern: 'agent.deregister',
      data: { agentId: 'a1', instanceEpoch },
    });
    const count = commander!.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(commander!.requests).toHaveLength(count);
  });

  it('does not deregister what was never registered, and closes all the same', async () => {
    app = await AgentApp.start({ commander: { port: await freePort() } }, [Crawler]);
    await app.stop();
    commander = await RawCommander.start(agentAnswers({ 'agent.register': () => refusal('RATE_LIMITED') }));
    app = await AgentApp.start({ commander: { port: commander.port } }, [Crawler]);
    await eventually(() => commander!.received('agent.register').length >= 1);
    await new Promise((resolve) => setImmediate(resolve));
    await app.stop();
    expect(commander.received('agent.heartbeat')).toHaveLength(0);
  });

  it('refuses options that make no sense, naming them', async () => {
    const log = logger();
    await expect(AgentApp.start({ capacity: 0 }, [Crawler], log)).rejects.toThrow(/CommanderAgent options: capacity/);
    await expect(AgentApp.start({ agentId: 'no spaces' }, [Crawler], log)).rejects.toThrow(/agentId/);
    await expect(AgentApp.start({ drainTimeout: 5 } as never, [Crawler], log)).rejects.toThrow(/drainTimeout/);
  });
});
