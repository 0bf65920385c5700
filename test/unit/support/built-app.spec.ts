import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BuiltApp } from '../../support/built-app.js';
import { eventually } from '../../support/eventually.js';
import { isAlive } from '../../support/is-alive.js';

/** Keeps main's promises towards whoever starts it; how it behaves comes from the environment. */
const PROGRAM = `
const net = require('node:net');
if (process.env.FAIL) { console.error('REDIS_URL is ' + process.env.REDIS_URL); process.exit(3); }
const server = net.createServer((socket) => socket.end('hello')).listen(Number(process.env.TCP_PORT), '127.0.0.1', () => {
  console.log(JSON.stringify({ pid: process.pid, channel: process.connected }));
  if (!process.env.SILENT) {
    const at = { host: '127.0.0.1', port: server.address().port };
    process.send({ type: 'other' });
    process.send({ type: 'ready', tcp: at, http: at });
  }
});
process.on('disconnect', () => console.log(JSON.stringify({ disconnected: true })));
process.on('SIGTERM', () => { console.log('bye'); process.exit(5); });
`;

describe('BuiltApp', () => {
  const dir = mkdtempSync(join(tmpdir(), 'commander-built-app-'));
  const entry = join(dir, 'main.js');
  const redisUrl = 'redis://127.0.0.1:1';
  beforeAll(() => writeFileSync(entry, PROGRAM));
  afterAll(() => rmSync(dir, { recursive: true }));

  it('knows ports, pid and output of an app that became ready, and ends it in order', async () => {
    const app = await BuiltApp.start({ redisUrl, entry });
    expect(app.tcpPort).toBeGreaterThan(0);
    expect(app.httpUrl).toBe(`http://127.0.0.1:${app.httpPort}`);
    expect(app.logLines()[0]).toEqual({ pid: app.pid, channel: true });
    // Ready, it runs without the channel, as in production.
    await eventually(() => expect(app.logLines()).toContainEqual({ disconnected: true }));
    expect(await app.stop()).toEqual({ code: 5, signal: null });
    expect(await app.stop()).toEqual({ code: 5, signal: null });
    expect(app.output()).toContain('bye');
    expect(isAlive(app.pid)).toBe(false);
  });

  it('tells how an app ended that was killed', async () => {
    const app = await BuiltApp.start({ redisUrl, entry });
    app.signal('SIGSTOP');
    expect(await app.kill()).toEqual({ code: null, signal: 'SIGKILL' });
    app.signal('SIGTERM');
  });

  it('stops an app that is frozen', async () => {
    const app = await BuiltApp.start({ redisUrl, entry });
    app.signal('SIGSTOP');
    expect((await app.stop()).code).toBe(5);
  });

  it('rejects with the output when the app ends before it is ready', async () => {
    const starting = BuiltApp.start({ redisUrl, entry, env: { FAIL: '1' } });
    await expect(starting).rejects.toThrow(/exit code 3[^]*REDIS_URL is redis:\/\/127.0.0.1:1/);
  });

  it('rejects, and leaves nothing running, when the app never becomes ready', async () => {
    const silent = BuiltApp.launch({ redisUrl, entry, env: { SILENT: '1' } });
    await silent.kill();
    const starting = BuiltApp.start({ redisUrl, entry, env: { SILENT: '1' }, readyTimeoutMs: 3_000 });
    const error: Error = await starting.then(
      () => new Error('it resolved'),
      (reason) => reason,
    );
    expect(error.message).toMatch(/not ready within 3000 ms/);
    const { pid } = JSON.parse(/\{.*\}/.exec(error.message)![0]);
    expect(isAlive(pid)).toBe(false);
  });

  it('says what to do when there is no build', async () => {
    await expect(BuiltApp.start({ redisUrl, entry: join(dir, 'absent.js') })).rejects.toThrow(/npm run build/);
  });

  it('reaches the app itself when it runs as process 1 of a namespace', async () => {
    const app = await BuiltApp.start({ redisUrl, entry, asPid1: true });
    expect(app.logLines()[0]).toMatchObject({ pid: 1 });
    expect(await app.stop()).toEqual({ code: 5, signal: null });
    expect(isAlive(app.pid)).toBe(false);
  });
});
