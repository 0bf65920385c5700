import { join } from 'node:path';
import { RedisServer } from '../support/redis-server.js';
import { ChildProgram } from './child-program.js';

/** An exit that needs no deadline to happen: generous for a busy machine, below every shutdown deadline used here. */
const promptlyMs = 20_000;
const longMs = { SHUTDOWN_TIMEOUT_MS: '60000', DRAIN_TIMEOUT_MS: '1000' };
const shortMs = { SHUTDOWN_TIMEOUT_MS: '1500', DRAIN_TIMEOUT_MS: '500' };

describe('installShutdown', () => {
  let server: RedisServer;
  let program: ChildProgram | undefined;

  beforeAll(async () => {
    server = await RedisServer.start();
  });

  afterAll(() => server.stop());

  afterEach(async () => {
    await program?.stop();
    program = undefined;
  });

  async function start(environment: Record<string, string>, until = /^ready$/m): Promise<ChildProgram> {
    program = ChildProgram.start(join(__dirname, 'fixtures/small-app.cjs'), { REDIS_URL: server.url, ...environment });
    await program.printedLine(until);
    return program;
  }

  const hooksOf = (output: string) => output.split('\n').filter((line) => /^(on|before)[A-Za-z]+: /.test(line));

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'on %s: readiness goes off before any hook, hooks run in order, Redis answers until the last, exit code 0',
    async (signal) => {
      const app = await start(longMs);
      app.signal(signal);
      expect(await app.exited(promptlyMs)).toEqual({ code: 0, signal: null });
      expect(hooksOf(app.output())).toEqual([
        'onModuleDestroy: draining, Redis says PONG',
        'beforeApplicationShutdown: draining, Redis says PONG',
        'onApplicationShutdown: draining, Redis says PONG',
      ]);
      expect(app.output()).toContain(`${signal}: shutting down, in 60000 ms at most`);
      expect(app.output()).toContain('finished, exiting with code 0');
    },
  );

  it.each([
    ['SIGTERM', 'SIGTERM', 143],
    ['SIGTERM', 'SIGINT', 130],
    ['SIGINT', 'SIGINT', 130],
  ] as const)('a second signal (%s, then %s) exits at once with %d', async (first, second, code) => {
    const app = await start({ ...longMs, HANG_IN: 'beforeApplicationShutdown' });
    app.signal(first);
    await app.printedLine(/^beforeApplicationShutdown: /m);
    app.signal(second);
    expect(await app.exited(promptlyMs)).toEqual({ code, signal: null });
    expect(app.output()).toContain(`${second} again: exiting at once`);
  });

  it.each(['onModuleDestroy', 'beforeApplicationShutdown', 'onApplicationShutdown'])(
    'a hang in %s ends at the deadline with exit code 1 and is named, with what was in flight',
    async (hook) => {
      const app = await start({ ...shortMs, HANG_IN: hook });
      app.signal('SIGTERM');
      expect(await app.exited(promptlyMs)).toEqual({ code: 1, signal: null });
      expect(app.output()).toContain(
        `not finished after 1500 ms, still waiting for: Feature.${hook}(); in flight: commands 1; exiting with code 1`,
      );
    },
  );

  it('a hook that fails ends the process with exit code 1 and the reason', async () => {
    const app = await start({ ...longMs, FAIL_IN: 'beforeApplicationShutdown' });
    app.signal('SIGTERM');
    expect(await app.exited(promptlyMs)).toEqual({ code: 1, signal: null });
    expect(app.output()).toMatch(/closing failed: Error: beforeApplicationShutdown failed/);
  });

  it.each([
    ['throw', /uncaught exception: Error: nobody caught this\n +at /],
    ['reject', /unhandled rejection: Error: nobody handled this\n +at /],
  ])('an error that nobody handles (%s) is logged and closes the app, with exit code 1', async (what, line) => {
    const app = await start({ ...longMs, ON_USR2: what });
    app.signal('SIGUSR2');
    expect(await app.exited(promptlyMs)).toEqual({ code: 1, signal: null });
    expect(app.output()).toMatch(line);
    expect(hooksOf(app.output())).toHaveLength(3);
  });

  it('an error during the shutdown makes it a failure, but does not begin it again', async () => {
    const app = await start({ ...shortMs, ON_USR2: 'throw', HANG_IN: 'onModuleDestroy' });
    app.signal('SIGTERM');
    await app.printedLine(/^onModuleDestroy: /m);
    app.signal('SIGUSR2');
    expect(await app.exited(promptlyMs)).toEqual({ code: 1, signal: null });
    expect(app.output().match(/shutting down/g)).toHaveLength(1);
    expect(hooksOf(app.output())).toHaveLength(1);
  });

  it('a signal during the start closes the app as soon as it has started', async () => {
    const app = await start({ ...longMs, START_MS: '500' }, /^starting$/m);
    app.signal('SIGTERM');
    expect(await app.exited(promptlyMs)).toEqual({ code: 0, signal: null });
    expect(hooksOf(app.output())).toHaveLength(3);
  });

  it('a start that hangs ends at the deadline, too', async () => {
    const app = await start({ ...shortMs, START_MS: '600000' }, /^starting$/m);
    app.signal('SIGTERM');
    expect(await app.exited(promptlyMs)).toEqual({ code: 1, signal: null });
    expect(app.output()).toContain('still waiting for: the start to finish; exiting with code 1');
  });

  it('gives signals back to Node when it is uninstalled', async () => {
    const app = await start({ UNINSTALL: 'yes' });
    app.signal('SIGTERM');
    expect(await app.exited(promptlyMs)).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('ends when nobody reads its log any more', async () => {
    const app = await start(longMs);
    app.stopReading();
    app.signal('SIGTERM');
    expect((await app.exited(promptlyMs)).signal).toBeNull();
  });
});
