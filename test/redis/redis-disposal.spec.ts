import { join } from 'node:path';
import { ChildProgram } from '../lifecycle/child-program.js';
import { eventually } from '../support/eventually.js';
import { RedisServer } from '../support/redis-server.js';

/** quit() may take (2000 - 1000) / 4 ms here; far below the deadline that the tests allow. */
const timeouts = { SHUTDOWN_TIMEOUT_MS: '2000', DRAIN_TIMEOUT_MS: '1000' };
const deadlineMs = 20_000;

describe('Closing the Redis client', () => {
  let server: RedisServer;
  let program: ChildProgram;

  beforeEach(async () => {
    server = await RedisServer.start({ appendOnly: true });
  });

  afterEach(async () => {
    await program.stop();
    await server.stop();
  });

  async function start(environment: Record<string, string> = {}): Promise<void> {
    program = ChildProgram.start(join(__dirname, 'fixtures/disposal.cjs'), {
      REDIS_URL: server.url,
      ...timeouts,
      ...environment,
    });
    await program.printedLine(/^started$/m);
  }

  it('lets replies under way arrive, quits, and leaves nothing that holds the process', async () => {
    // The good-bye may take as long as a slow machine needs for it.
    await start({ COMMANDS: '500', SHUTDOWN_TIMEOUT_MS: '60000' });
    await program.printedLine(/^redis ready$/m);
    program.signal('SIGUSR2');
    expect(await program.exited(deadlineMs)).toEqual({ code: 0, signal: null });
    expect(program.output()).toMatch(/replies 500\n[^]*closed\n/);
    expect(program.output()).not.toContain('without a good-bye');
    expect(await server.cli('GET', 'counter')).toBe('500');
  });

  it('disconnects when Redis is down and commands are queued, which then never run', async () => {
    await start({ COMMANDS: '5' });
    await program.printedLine(/^redis ready$/m);
    await server.kill();
    await program.printedLine(/^redis reconnecting$/m);
    program.signal('SIGUSR2');
    expect(await program.exited(deadlineMs)).toEqual({ code: 0, signal: null });
    expect(program.output()).toMatch(/gate refused: UNAVAILABLE/);
    expect(program.output()).toMatch(/^closed$/m);
    await server.restart();
    expect(await server.cli('EXISTS', 'counter')).toBe('0');
  });

  it('gives up a command that was lost with its connection', async () => {
    await start();
    await program.printedLine(/^redis ready$/m);
    server.freeze();
    program.signal('SIGHUP');
    await program.printedLine(/^early command sent$/m);
    await server.kill();
    await program.printedLine(/^redis reconnecting$/m);
    program.signal('SIGUSR2');
    expect(await program.exited(deadlineMs)).toEqual({ code: 0, signal: null });
    expect(program.output()).toMatch(/^early command: UNAVAILABLE$/m);
  });

  it('disconnects when Redis was never there', async () => {
    await server.kill();
    await start({ COMMANDS: '5' });
    await program.printedLine(/^redis reconnecting$/m);
    program.signal('SIGUSR2');
    expect(await program.exited(deadlineMs)).toEqual({ code: 0, signal: null });
    expect(program.output()).toMatch(/^closed$/m);
  });

  it('disconnects after its deadline when Redis is frozen', async () => {
    await start();
    await program.printedLine(/^redis ready$/m);
    server.freeze();
    program.signal('SIGUSR2');
    expect(await program.exited(deadlineMs)).toEqual({ code: 0, signal: null });
    expect(program.output()).toMatch(/no answer to QUIT in 250 ms/);
    expect(program.output()).toMatch(/^closed$/m);
  });

  it('disconnects when Redis was frozen before it ever answered', async () => {
    server.freeze();
    await start();
    program.signal('SIGUSR2');
    expect(await program.exited(deadlineMs)).toEqual({ code: 0, signal: null });
    expect(program.output()).toMatch(/^closed$/m);
  });

  it('ends when Redis dies during the close', async () => {
    // The good-bye may take long here, so that the death is what ends it.
    await start({ SHUTDOWN_TIMEOUT_MS: '60000', DRAIN_TIMEOUT_MS: '1000' });
    await program.printedLine(/^redis ready$/m);
    server.freeze();
    program.signal('SIGUSR2');
    await program.printedLine(/^closing$/m);
    await eventually(() => expect(program.output()).not.toMatch(/^closed$/m));
    await server.kill();
    expect(await program.exited(deadlineMs)).toEqual({ code: 0, signal: null });
    expect(program.output()).toMatch(/^closed$/m);
  });
});
