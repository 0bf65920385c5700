import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CheckoutCopy, type RunningScript } from '../support/checkout-copy.js';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { RedisServer } from '../support/redis-server.js';

const run = promisify(execFile);
// The first start builds, and the machine may be busy with other suites.
jest.setTimeout(150_000);

const READY = /Commander is up\.[^]*Try next.*\n/;

/** What one started commander told about itself. */
interface Started {
  script: RunningScript;
  appPid: number;
  redisPort: number;
  redisPid: number;
  banner: string;
}

const redisCli = async (port: number, ...args: string[]): Promise<string> =>
  (await run('redis-cli', ['-p', String(port), '-e', ...args], { timeout: 10_000 })).stdout.trim();

async function started(script: RunningScript): Promise<Started> {
  const [banner] = await script.prints(READY);
  const app = JSON.parse(/^\{"pid".*\}$/m.exec(script.output())![0]) as { pid: number; redisUrl: string };
  const redisPort = Number(new URL(app.redisUrl).port);
  const redisPid = Number(/process_id:(\d+)/.exec(await redisCli(redisPort, 'INFO', 'server'))![1]);
  return { script, appPid: app.pid, redisPort, redisPid, banner };
}

describe('npm start', () => {
  let copy: CheckoutCopy;
  const start = (env: NodeJS.ProcessEnv = {}): RunningScript => copy.run('scripts/start.mjs', env);

  beforeAll(async () => {
    copy = new CheckoutCopy({ mainFile: join(__dirname, 'fixtures/small-main.ts') });
  }, 60_000);
  afterAll(() => copy.dispose());

  it('builds, starts a Redis of its own, says where everything is, and stops all of it on SIGTERM', async () => {
    const { script, appPid, redisPid, redisPort, banner } = await started(start());
    expect(script.output()).toContain('building');
    expect(banner).toMatch(/TCP +127\.0\.0\.1:\d+/);
    expect(banner).toContain(`redis://127.0.0.1:${redisPort}`);
    const httpUrl = /HTTP +(http:\S+)/.exec(banner)![1]!;
    expect(banner).toMatch(new RegExp(`Try next.*${httpUrl}`));
    expect(await (await fetch(httpUrl)).text()).toBe('built-once');

    script.signal('SIGTERM');
    expect(await script.exited).toEqual({ code: 0, signal: null });
    expect([appPid, redisPid].filter(isAlive)).toEqual([]);
    expect(existsSync(copy.file('.data/redis.lock'))).toBe(false);
  });

  it('uses the same data at the next start, which builds nothing', async () => {
    const { script, redisPort } = await started(start());
    expect(script.output()).not.toContain('building');
    expect(Number(await redisCli(redisPort, 'GET', 'starts'))).toBeGreaterThan(1);
    // The earlier app could still write while it ended: Redis was stopped after it, not before.
    expect(await redisCli(redisPort, 'LRANGE', 'stopped-by', '0', '-1')).toMatch(/^SIGTERM/);
    expect(await redisCli(redisPort, 'CONFIG', 'GET', 'appendfsync')).toBe('appendfsync\neverysec');
    script.signal('SIGTERM');
    await script.exited;
  });

  it('takes Ctrl-C, which reaches the whole group and once more through npm, as one request to stop', async () => {
    const { script, redisPid, appPid } = await started(start({ SMALL_MAIN_STOP_TAKES_MS: '300' }));
    script.signalGroup('SIGINT');
    script.signal('SIGINT');
    expect(await script.exited).toEqual({ code: 0, signal: null });
    expect([appPid, redisPid].filter(isAlive)).toEqual([]);
  });

  it('ends in order when npm, which started it, gets the signal', async () => {
    const { script, redisPid, appPid } = await started(copy.npm(['start'], { SMALL_MAIN_STOP_TAKES_MS: '300' }));
    script.signal('SIGTERM');
    expect((await script.exited).code).toBe(0);
    expect([appPid, redisPid].filter(isAlive)).toEqual([]);
  });

  it('hands a second request to stop on, so that it ends at once', async () => {
    const { script, redisPid, appPid } = await started(start({ SMALL_MAIN_STOP_TAKES_MS: '60000' }));
    script.signal('SIGINT');
    script.signal('SIGTERM');
    expect(await script.exited).toEqual({ code: 99, signal: null });
    expect([appPid, redisPid].filter(isAlive)).toEqual([]);
  });

  it('stops Redis and hands on the exit code when commander crashes', async () => {
    const script = start({ SMALL_MAIN_CRASHES: 'true' });
    expect(await script.exited).toEqual({ code: 7, signal: null });
    expect(script.output()).toContain('commander ended by itself (exit code 7)');
    expect(existsSync(copy.file('.data/redis/server.json'))).toBe(false);
    expect(existsSync(copy.file('.data/redis.lock'))).toBe(false);
  });

  it('refuses a second start with the same data, naming who holds it, and the first one goes on', async () => {
    const first = await started(start());
    const second = start();
    expect((await second.exited).code).toBe(1);
    expect(second.output()).toContain(`process ${first.script.pid} `);
    expect(second.output()).toContain(copy.file('.data/redis'));
    expect(second.output()).not.toMatch(/\n\s+at /);
    expect(await redisCli(first.redisPort, 'PING')).toBe('PONG');

    // With a Redis named by hand two of them may run beside each other.
    const third = start({ REDIS_URL: `redis://127.0.0.1:${first.redisPort}` });
    expect((await started(third)).redisPid).toBe(first.redisPid);
    third.signal('SIGTERM');
    expect((await third.exited).code).toBe(0);
    expect(await redisCli(first.redisPort, 'PING')).toBe('PONG');
    first.script.signal('SIGTERM');
    await first.script.exited;
  });

  it('leaves neither commander nor Redis behind after SIGKILL, and the next start takes the data over at once', async () => {
    const first = await started(start({ SMALL_MAIN_STOP_TAKES_MS: '300' }));
    await redisCli(first.redisPort, 'DEL', 'stopped-by');
    first.script.signal('SIGKILL');
    await first.script.exited;
    const second = await started(start());
    expect(isAlive(first.redisPid)).toBe(false);
    await eventually(() => !isAlive(first.appPid), { what: 'the first commander to end' });
    // It was stopped in order, before its Redis.
    expect(await redisCli(second.redisPort, 'LRANGE', 'stopped-by', '-1', '-1')).toBe('SIGTERM');
    second.script.signal('SIGKILL');
    await second.script.exited;
    await eventually(() => [second.appPid, second.redisPid].every((pid) => !isAlive(pid)), {
      timeoutMs: 20_000,
      what: 'commander and Redis to end',
    });
  });

  it('says so when Redis dies, and still ends in order', async () => {
    const { script, redisPid } = await started(start());
    process.kill(redisPid, 'SIGKILL');
    await script.prints(/Redis ended by itself \(signal SIGKILL\).*redis\.log/);
    script.signal('SIGTERM');
    // The app could not write its last word.
    expect((await script.exited).code).toBe(98);
  });

  it('uses REDIS_URL when it is set and starts no Redis', async () => {
    const redis = await RedisServer.start({ password: 'hush' });
    try {
      const script = start({ REDIS_URL: redis.url });
      const [banner] = await script.prints(READY);
      expect(await redis.cli('GET', 'starts')).toBe('1');
      expect(banner).toContain(`redis://***@127.0.0.1:${redis.port}`);
      expect(banner).not.toContain('hush');
      expect(existsSync(copy.file('.data/redis.lock'))).toBe(false);
      script.signal('SIGTERM');
      expect((await script.exited).code).toBe(0);
      expect(await redis.cli('LRANGE', 'stopped-by', '0', '-1')).toBe('SIGTERM');
    } finally {
      await redis.stop();
    }
  });

  it('builds again after a change of the sources', async () => {
    const main = readFileSync(copy.file('src/main.ts'), 'utf8');
    writeFileSync(copy.file('src/main.ts'), main.replace('built-once', 'built-twice'));
    const { script, banner } = await started(start());
    expect(script.output()).toContain('building');
    expect(await (await fetch(/HTTP +(http:\S+)/.exec(banner)![1]!)).text()).toBe('built-twice');
    script.signal('SIGTERM');
    await script.exited;
  });

  it('stops with the compiler’s words when the sources do not compile', async () => {
    const main = readFileSync(copy.file('src/main.ts'), 'utf8');
    writeFileSync(copy.file('src/main.ts'), `${main}\nconst wrong: number = 'text';\n`);
    const script = start();
    expect((await script.exited).code).toBe(1);
    expect(script.output()).toMatch(/not assignable to type 'number'[^]*the build failed/);
    writeFileSync(copy.file('src/main.ts'), main);
  });
});

describe('npm start with the real commander', () => {
  let copy: CheckoutCopy;
  beforeAll(() => {
    copy = new CheckoutCopy();
  });
  afterAll(() => copy.dispose());

  it('serves, and everything is gone after SIGTERM', async () => {
    const script = copy.run('scripts/start.mjs');
    const [banner] = await script.prints(READY);
    const httpUrl = /HTTP +(http:\S+)/.exec(banner)![1]!;
    const redisPort = Number(/redis:\/\/127\.0\.0\.1:(\d+)/.exec(banner)![1]);
    await eventually(async () => expect((await fetch(`${httpUrl}/readyz`)).status).toBe(200));
    const [, hint] = /Try next.*curl -s (\S+)/.exec(banner)!;
    const diagnostics = (await (await fetch(hint!)).json()) as { process: { pid: number } };
    expect(await redisCli(redisPort, 'CLIENT', 'LIST')).not.toBe('');

    script.signal('SIGTERM');
    expect(await script.exited).toEqual({ code: 0, signal: null });
    expect(isAlive(diagnostics.process.pid)).toBe(false);
    await expect(redisCli(redisPort, 'PING')).rejects.toThrow(/refused/);
  }, 180_000);
});

/** A mount namespace needs root; without it there is no way to take redis-server away. */
const describeAsRoot = process.getuid?.() === 0 ? describe : describe.skip;

describeAsRoot('npm start without redis-server', () => {
  let copy: CheckoutCopy;
  beforeAll(() => {
    copy = new CheckoutCopy({ mainFile: join(__dirname, 'fixtures/small-main.ts') });
  });
  afterAll(() => copy.dispose());

  /**
   * Runs the look-up of redis-server in a mount namespace where the system has none, with an apt-get that is a stand-in:
   * it notes how it was called and, like the real one, brings the program and asks policy-rc.d whether to start the service.
   */
  function lookUp(
    user: 'root' | 'nobody',
    { aptCode = 0, present = false } = {},
  ): { code: number; output: string; calls: string } {
    const bin = copy.file('bin');
    rmSync(bin, { recursive: true, force: true });
    mkdirSync(bin);
    if (present) writeFileSync(join(bin, 'redis-server'), '', { mode: 0o755 });
    writeFileSync(copy.file('calls'), '');
    chmodSync(copy.file('calls'), 0o666);
    chmodSync(copy.path, 0o755);
    writeFileSync(
      join(bin, 'apt-get'),
      `#!/bin/sh
echo "$*" >> ${copy.file('calls')}
case "$*" in *install*)
  /usr/sbin/policy-rc.d redis-server start; echo "policy $?" >> ${copy.file('calls')}
  [ ${aptCode} = 0 ] && printf '#!/bin/sh\\n' > ${bin}/redis-server && chmod 755 ${bin}/redis-server
  exit ${aptCode};;
esac
`,
      { mode: 0o755 },
    );
    const script = `import(${JSON.stringify(copy.file('scripts/lib/failure.mjs'))}).then(({ runMain }) => runMain(async () => {
      const { ensureRedisBinary } = await import(${JSON.stringify(copy.file('scripts/lib/redis-binary.mjs'))});
      console.log('found ' + await ensureRedisBinary());
    }));`;
    const namespace = `
      set -e
      # No redis-server, no other apt-get, and nothing here can change the system.
      mkdir -p ${copy.file('sbin')}
      for file in /usr/local/bin/redis-server /usr/bin/redis-server /usr/bin/apt-get; do
        [ ! -e "$file" ] || mount --bind /dev/null "$file"
      done
      mount --bind ${copy.file('sbin')} /usr/sbin
      exec ${user === 'root' ? '' : '/usr/bin/setpriv --reuid=65534 --clear-groups '}"$0" -e "$1"`;
    try {
      const output = execFileSync('unshare', ['-m', 'sh', '-c', namespace, process.execPath, script], {
        env: { ...process.env, PATH: `${bin}:/usr/bin:/bin` },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      return { code: 0, output, calls: readFileSync(copy.file('calls'), 'utf8') };
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
      return { code: status, output: stdout + stderr, calls: readFileSync(copy.file('calls'), 'utf8') };
    }
  }

  it('says in one line what to do where it may not install', () => {
    const { code, output, calls } = lookUp('nobody');
    expect(code).toBe(1);
    expect(output.trim().split('\n')).toHaveLength(1);
    expect(output).toMatch(/redis-server is not installed.*apt-get install redis-server.*REDIS_URL/);
    expect(calls).toBe('');
  });

  it('says so where apt-get fails', () => {
    const { code, output } = lookUp('root', { aptCode: 100 });
    expect(code).toBe(1);
    expect(output).toMatch(/could not install redis-server \(exit code 100\)/);
  });

  it('installs the package as root without letting its service start, and leaves no policy behind', () => {
    const { code, output, calls } = lookUp('root');
    expect(output).toContain(`found ${copy.file('bin/redis-server')}`);
    expect(code).toBe(0);
    expect(calls.split('\n').slice(0, 3)).toEqual([
      '-q update',
      '-q install -y --no-install-recommends redis-server',
      'policy 101',
    ]);
    expect(existsSync(copy.file('sbin/policy-rc.d'))).toBe(false);
  });

  it('installs nothing where it is there', () => {
    const { code, calls } = lookUp('root', { present: true });
    expect({ code, calls }).toEqual({ code: 0, calls: '' });
  });
});
