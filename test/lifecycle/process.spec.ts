import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { BuiltApp, type BuiltAppOptions, type Exit } from '../support/built-app.js';
import { eventually } from '../support/eventually.js';
import { TcpAgent } from '../support/fake-agent.js';
import { httpGet } from '../support/http-get.js';
import { RedisServer } from '../support/redis-server.js';
import { TcpPeer } from '../support/tcp-peer.js';
import { ChildProgram, distDir } from './child-program.js';
import { openSockets } from './open-sockets.js';

jest.setTimeout(120_000);

/** What the product promises here: gone within SHUTDOWN_TIMEOUT_MS of the signal. */
const SHUTDOWN_MS = 12_000;
/** Starting the program and noticing its end take time of their own on a busy machine. */
const MARGIN_MS = 10_000;
/** For exits that wait for nothing: generous for a busy machine, below every deadline that could end them otherwise. */
const AT_ONCE_MS = 20_000;
const env = { SHUTDOWN_TIMEOUT_MS: String(SHUTDOWN_MS), DRAIN_TIMEOUT_MS: '1000', RUN_LOCK_MS: '1000' };
/** For tests that end the drain themselves. */
const patient = { SHUTDOWN_TIMEOUT_MS: '60000', DRAIN_TIMEOUT_MS: '50000' };

describe('The process', () => {
  const opened: { stop(): Promise<unknown> }[] = [];
  let server: RedisServer;

  beforeEach(async () => {
    server = await RedisServer.start();
  });

  afterEach(async () => {
    server.thaw();
    for (const thing of opened.splice(0).reverse()) await thing.stop();
    await server.stop();
  });

  async function start(options: Partial<BuiltAppOptions> = {}): Promise<BuiltApp> {
    const app = await BuiltApp.start({
      redisUrl: server.url,
      entry: join(distDir, 'main.js'),
      ...options,
      env: { ...env, ...options.env },
    });
    opened.push({ stop: () => app.kill() });
    return app;
  }

  async function peer(app: BuiltApp): Promise<TcpPeer> {
    const connected = await TcpPeer.connect({ host: '127.0.0.1', port: app.tcpPort });
    opened.push({ stop: () => connected.close() });
    return connected;
  }

  async function agent(app: BuiltApp, handler: () => unknown): Promise<TcpAgent> {
    const started = await TcpAgent.start({ handler });
    opened.push({ stop: () => started.die() });
    await started.join({ port: app.tcpPort });
    return started;
  }

  /** A command that waits for the run of a job that ends when the test says so. */
  async function workUnderWay(app: BuiltApp) {
    let finish!: () => void;
    const finished = new Promise<string>((resolve) => {
      finish = () => resolve('done');
    });
    const executor = await agent(app, () => finished);
    const caller = await peer(app);
    const reply = caller.ask('job.submit', { job: { name: 'job' }, wait: true, deadlineMs: 60_000, timeoutMs: 60_000 });
    reply.catch(() => undefined);
    await eventually(() => expect(executor.activeCount).toBe(1));
    return { reply, finish, executor };
  }

  const ready = async (app: BuiltApp) => (await httpGet(`${app.httpUrl}/readyz`)).status;
  const isReady = (app: BuiltApp) => eventually(async () => expect(await ready(app)).toBe(200), { timeoutMs: 40_000 });

  /** How it exited; the deadline is the product's own, counted from now. */
  async function exitWithin(app: BuiltApp, timeoutMs: number): Promise<Exit> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const fail = () => reject(new Error(`it has not exited after ${timeoutMs} ms:\n${app.output()}`));
      timer = setTimeout(fail, timeoutMs);
    });
    try {
      return await Promise.race([app.exited, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Jobs that a replica holds in the engine's queue; one that is left there runs again after the stall time. */
  async function activeJobsCount(): Promise<number> {
    return Number(await server.cli('LLEN', '{commander}:engine:active'));
  }

  describe('stops on a signal', () => {
    it('in order: readiness, new connections, new commands, work under way, Redis; then exit code 0', async () => {
      const app = await start({ env: patient });
      await isReady(app);
      const { reply, finish } = await workUnderWay(app);
      const bystander = await peer(app);
      expect(await bystander.code('agent.list', {})).toBe('OK');
      const { response: running } = await bystander.ask('run.list', { state: 'running' });
      expect(running).toMatchObject({ items: [{ state: 'running' }] });

      app.signal('SIGTERM');
      await eventually(async () => expect(await ready(app)).toBe(503));
      await eventually(async () => {
        await expect(TcpPeer.connect({ host: '127.0.0.1', port: app.tcpPort })).rejects.toMatchObject({
          code: 'ECONNREFUSED',
        });
      });
      expect(await bystander.code('agent.list', {})).toBe('SHUTTING_DOWN');
      // All of it while the run is under way, on the Redis connections that it needs to be recorded.
      expect(openSockets(app.pid).filter(({ remotePort }) => remotePort === server.port)).toHaveLength(2);

      finish();
      expect((await reply).response).toMatchObject({ result: 'done' });
      expect(await exitWithin(app, SHUTDOWN_MS + MARGIN_MS)).toEqual({ code: 0, signal: null });
      expect(bystander.isEnded).toBe(true);
      expect(await activeJobsCount()).toBe(0);
      const clients = (await server.cli('CLIENT', 'LIST')).split('\n');
      expect(clients.filter((line) => !/ cmd=client\|list /.test(line))).toEqual([]);
      expect(app.output()).not.toContain('without a good-bye');
    });

    it('with a run that does not end: it is put back after DRAIN_TIMEOUT_MS, exit code 0, and another replica does it', async () => {
      const app = await start();
      await isReady(app);
      const { reply, executor } = await workUnderWay(app);
      app.signal('SIGTERM');
      expect(await exitWithin(app, SHUTDOWN_MS + MARGIN_MS)).toEqual({ code: 0, signal: null });
      expect(['UNAVAILABLE', 'SHUTTING_DOWN', 'DEADLINE_EXCEEDED']).toContain((await reply).err?.code);
      expect(await activeJobsCount()).toBe(0);

      // It would go on for ever with what it has.
      await executor.die();
      const other = await start();
      await agent(other, () => 'done by another');
      const asking = await peer(other);
      await eventually(
        async () => {
          const { response } = await asking.ask('run.list', {});
          expect(response).toMatchObject({ items: [{ state: 'succeeded', result: 'done by another' }] });
        },
        { timeoutMs: 30_000 },
      );
    });

    it('on SIGINT as on SIGTERM', async () => {
      const app = await start();
      app.signal('SIGINT');
      expect(await exitWithin(app, SHUTDOWN_MS + MARGIN_MS)).toEqual({ code: 0, signal: null });
    });

    it.each([
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ] as const)('at once when the signal comes a second time (%s: exit code %d)', async (signal, code) => {
      const app = await start({ env: patient });
      await isReady(app);
      await workUnderWay(app);
      app.signal('SIGTERM');
      await eventually(async () => expect(await ready(app)).toBe(503));
      app.signal(signal);
      expect(await exitWithin(app, AT_ONCE_MS)).toEqual({ code, signal: null });
    });

    it('that comes during the start', async () => {
      for (const afterMs of [0, 100, 200, 300, 400, 600]) {
        const app = BuiltApp.launch({ redisUrl: server.url, entry: join(distDir, 'main.js'), env });
        opened.push({ stop: () => app.kill() });
        await new Promise((resolve) => setTimeout(resolve, afterMs));
        app.signal('SIGTERM');
        const exit = await exitWithin(app, SHUTDOWN_MS + MARGIN_MS);
        // Before our handler is there, the signal ends the process by itself.
        expect([
          { code: 0, signal: null },
          { code: null, signal: 'SIGTERM' },
        ]).toContainEqual(exit);
      }
    });

    it('although nobody reads its log any more', async () => {
      const program = ChildProgram.start(join(distDir, 'main.js'), {
        ...env,
        REDIS_URL: server.url,
        TCP_PORT: '0',
        HTTP_PORT: '0',
      });
      opened.push(program);
      await program.printedLine(/commands on 127/);
      program.stopReading();
      program.signal('SIGTERM');
      expect((await program.exited(SHUTDOWN_MS + MARGIN_MS)).signal).toBeNull();
    });
  });

  describe('as process 1 of a container', () => {
    const allowed = spawnSync('unshare', ['-pf', 'true']).status === 0;
    if (!allowed) console.warn('NOT TESTED: the process as PID 1, because `unshare -pf` is not permitted here');
    const itAsPid1 = allowed ? it : it.skip;

    itAsPid1.each(['SIGTERM', 'SIGINT'] as const)('stops on %s with exit code 0', async (signal) => {
      const app = await start({ asPid1: true });
      await isReady(app);
      app.signal(signal);
      expect(await exitWithin(app, SHUTDOWN_MS + MARGIN_MS)).toEqual({ code: 0, signal: null });
      expect(app.output()).toContain('"pid":1,');
    });

    itAsPid1('does not lose a signal that comes while its modules are loaded', async () => {
      const app = BuiltApp.launch({
        redisUrl: server.url,
        entry: join(distDir, 'main.js'),
        env,
        asPid1: true,
        nodeArgs: ['--require', join(__dirname, 'fixtures/slow-loading.cjs')],
      });
      opened.push({ stop: () => app.kill() });
      await eventually(() => expect(app.output()).toContain('loading'));
      // The process that we know is `unshare`; ours is its child.
      const [pid] = readFileSync(`/proc/${app.pid}/task/${app.pid}/children`, 'utf8').trim().split(' ').map(Number);
      process.kill(pid, 'SIGTERM');
      expect(await exitWithin(app, SHUTDOWN_MS + MARGIN_MS)).toEqual({ code: 0, signal: null });
      expect(app.output()).toContain('SIGTERM: shutting down');
    });

    itAsPid1('stops at once on the second signal', async () => {
      const app = await start({ asPid1: true, env: patient });
      await isReady(app);
      await workUnderWay(app);
      app.signal('SIGTERM');
      await eventually(async () => expect(await ready(app)).toBe(503));
      app.signal('SIGTERM');
      expect(await exitWithin(app, AT_ONCE_MS)).toEqual({ code: 143, signal: null });
    });
  });

  describe('stops within its deadline, with exit code 0,', () => {
    it.each(['idle', 'with a run under way'])('when Redis is down (%s)', async (load) => {
      const app = await start();
      await isReady(app);
      if (load !== 'idle') await workUnderWay(app);
      await server.kill();
      await eventually(async () => expect(await ready(app)).toBe(503));
      app.signal('SIGTERM');
      expect(await exitWithin(app, SHUTDOWN_MS + MARGIN_MS)).toEqual({ code: 0, signal: null });
    });

    it.each(['idle', 'with a run under way'])('when Redis is frozen (%s)', async (load) => {
      const app = await start();
      await isReady(app);
      if (load !== 'idle') await workUnderWay(app);
      server.freeze();
      app.signal('SIGTERM');
      expect(await exitWithin(app, SHUTDOWN_MS + MARGIN_MS)).toEqual({ code: 0, signal: null });
    });

    it.each(['idle', 'with a run under way'])('when Redis dies during the close (%s)', async (load) => {
      const app = await start();
      await isReady(app);
      if (load !== 'idle') await workUnderWay(app);
      server.freeze();
      app.signal('SIGTERM');
      await eventually(() => expect(app.output()).toContain('SIGTERM: shutting down'));
      await server.kill();
      expect(await exitWithin(app, SHUTDOWN_MS + MARGIN_MS)).toEqual({ code: 0, signal: null });
    });

    it('when Redis was never there', async () => {
      await server.kill();
      const app = await start();
      app.signal('SIGTERM');
      expect(await exitWithin(app, SHUTDOWN_MS + MARGIN_MS)).toEqual({ code: 0, signal: null });
    });
  });

  describe('starts', () => {
    it('while Redis is down: not ready, commands answer UNAVAILABLE; and serves once Redis is there', async () => {
      await server.kill();
      const app = await start();
      expect(await ready(app)).toBe(503);
      expect((await httpGet(`${app.httpUrl}/livez`)).status).toBe(200);
      const caller = await peer(app);
      // Long enough for its margin to outlast a stall of a busy machine, after which it would say that the time ran out.
      expect(await caller.code('agent.list', { deadlineMs: 3_000 })).toBe('UNAVAILABLE');
      await server.restart();
      await isReady(app);
      expect(await caller.code('agent.list', {})).toBe('OK');
    });

    it.each(['TCP_PORT', 'HTTP_PORT'])(
      'not on a taken %s: exit code 1 and a message with the address',
      async (variable) => {
        const holder = createServer();
        await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
        opened.push({ stop: () => new Promise((resolve) => holder.close(resolve)) });
        const { port } = holder.address() as AddressInfo;
        const app = BuiltApp.launch({
          redisUrl: server.url,
          entry: join(distDir, 'main.js'),
          env: { ...env, [variable]: String(port) },
        });
        expect(await exitWithin(app, SHUTDOWN_MS + MARGIN_MS)).toEqual({ code: 1, signal: null });
        expect(app.output()).toMatch(/commander cannot start/);
        expect(app.output()).toContain(`EADDRINUSE: address already in use 127.0.0.1:${port}`);
      },
    );

    it.each([
      ['TCP_PORT', '99999', 'a whole number from 0 to 65535'],
      ['SHUTDOWN_TIMEOUT_MS', '15s', 'whole milliseconds from 500 to 600000'],
      ['REDIS_MODE', 'master', 'standalone, sentinel or cluster'],
    ])('not with %s=%s: exit code 1 and variable, value and what is expected', async (variable, value, expected) => {
      const app = BuiltApp.launch({
        redisUrl: server.url,
        entry: join(distDir, 'main.js'),
        env: { ...env, [variable]: value },
      });
      expect(await exitWithin(app, AT_ONCE_MS)).toEqual({ code: 1, signal: null });
      expect(app.output()).toContain(`${variable}=${JSON.stringify(value)}: expected ${expected}`);
      // A message, not a stack.
      expect(app.output()).not.toMatch(/^ +at /m);
    });

    it('not with a REDIS_URL that is none, and shows nothing of it', async () => {
      const app = BuiltApp.launch({
        redisUrl: 'redis://:Zm9v/YmFyc2VjcmV0@127.0.0.1:1',
        entry: join(distDir, 'main.js'),
        env,
      });
      expect(await exitWithin(app, AT_ONCE_MS)).toEqual({ code: 1, signal: null });
      expect(app.output()).toContain('REDIS_URL=<hidden>: expected redis://');
      expect(app.output()).not.toContain('YmFy');
    });

    it('not with a CA file that is not there, and says so in the same way', async () => {
      const app = BuiltApp.launch({
        redisUrl: server.url,
        entry: join(distDir, 'main.js'),
        env: { ...env, REDIS_TLS_CA_FILE: '/nowhere/ca.pem' },
      });
      expect(await exitWithin(app, AT_ONCE_MS)).toEqual({ code: 1, signal: null });
      expect(app.output()).toContain('REDIS_TLS_CA_FILE="/nowhere/ca.pem": expected the path of a PEM file');
      expect(app.output()).not.toMatch(/^ +at /m);
    });
  });

  describe('at rest', () => {
    it('holds one TCP listener, one HTTP listener, two Redis sockets, and one socket per agent it has used', async () => {
      const app = await start();
      await isReady(app);
      const sockets = () => {
        const open = openSockets(app.pid);
        const established = open.filter(({ state }) => state === 'ESTABLISHED');
        return {
          listeners: open
            .filter(({ state }) => state === 'LISTEN')
            .map(({ localPort }) => localPort)
            .sort(),
          redisCount: established.filter(({ remotePort }) => remotePort === server.port).length,
          otherCount: established.filter(({ remotePort }) => remotePort !== server.port).length,
        };
      };
      const listeners = [app.tcpPort, app.httpPort].sort();
      await eventually(() => expect(sockets()).toEqual({ listeners, redisCount: 2, otherCount: 0 }));

      const agents = [await agent(app, () => 'done'), await agent(app, () => 'done')];
      const caller = await peer(app);
      for (let run = 0; run < 20; run += 1) {
        expect(await caller.code('job.submit', { job: { name: 'job' }, wait: true })).toBe('OK');
      }
      expect(agents.map(({ openCount }) => openCount)).toEqual([1, 1]);
      // Theirs to us (registration and heartbeats), ours to them, the caller's.
      await eventually(() => expect(sockets()).toEqual({ listeners, redisCount: 2, otherCount: 2 + 2 + 1 }));

      // A probe leaves nothing behind.
      for (let probe = 0; probe < 50; probe += 1) await isReady(app);
      await eventually(() => expect(sockets()).toEqual({ listeners, redisCount: 2, otherCount: 2 + 2 + 1 }));

      await caller.close();
      for (const gone of agents) await gone.stop();
      await eventually(() => expect(sockets()).toEqual({ listeners, redisCount: 2, otherCount: 0 }), {
        timeoutMs: 20_000,
      });
    });
  });
});
