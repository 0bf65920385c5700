import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../../support/is-alive.js';
import { RedisServer } from '../../support/redis-server.js';

describe('RedisServer', () => {
  const servers: RedisServer[] = [];
  const start = async (...args: Parameters<typeof RedisServer.start>): Promise<RedisServer> => {
    const server = await RedisServer.start(...args);
    servers.push(server);
    return server;
  };
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  it('answers when start() resolves, and is gone with its data directory after stop(), also twice', async () => {
    const server = await start();
    expect(await server.cli('PING')).toBe('PONG');
    const pid = server.pid!;
    await Promise.all([server.stop(), server.stop()]);
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(server.dataDir)).toBe(false);
    await expect(server.cli('PING')).rejects.toThrow(/refused/);
    await expect(server.restart()).rejects.toThrow(/stopped/);
  });

  it('keeps data over kill() and restart() with AOF, and forgets it without', async () => {
    const [durable, volatile] = await Promise.all([start({ appendOnly: true }), start()]);
    for (const server of [durable, volatile]) {
      const port = server.port;
      await server.cli('SET', 'a', '1');
      await server.kill();
      await server.restart();
      expect(server.port).toBe(port);
    }
    expect(await durable.cli('GET', 'a')).toBe('1');
    expect(await volatile.cli('GET', 'a')).toBe('');
  });

  it('is silent while frozen, goes on after thaw(), and stops even when frozen', async () => {
    const server = await start();
    server.freeze();
    let answered = false;
    const answer = server.cli('PING').then((text) => {
      answered = true;
      return text;
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(answered).toBe(false);
    server.thaw();
    expect(await answer).toBe('PONG');
    server.freeze();
    const pid = server.pid!;
    await server.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it('refuses a taken port with the reason, and takes it when it is free', async () => {
    const first = await start();
    await expect(RedisServer.start({ port: first.port })).rejects.toThrow(/in use/i);
    await first.stop();
    const second = await start({ port: first.port });
    expect(second.port).toBe(first.port);
  });

  it('asks for its password', async () => {
    const server = await start({ password: 'p@ss/word' });
    expect(await server.cli('PING')).toBe('PONG');
    expect(new URL(server.url).password).toBe(encodeURIComponent('p@ss/word'));
    expect(() => execFileSync('redis-cli', ['-p', String(server.port), '-e', 'PING'], { stdio: 'pipe' })).toThrow(
      /NOAUTH/,
    );
  });

  it('runs as a cluster node and as Sentinel', async () => {
    const node = await start({ args: ['--cluster-enabled', 'yes'] });
    expect(await node.cli('CLUSTER', 'INFO')).toContain('cluster_state:');
    const master = await start();
    const sentinel = await start({ sentinel: [`sentinel monitor mymaster 127.0.0.1 ${master.port} 1`] });
    expect(await sentinel.cli('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster')).toBe(`127.0.0.1\n${master.port}`);
  });

  it('serves TLS only, when asked', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'commander-tls-'));
    try {
      const [certFile, keyFile] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
      const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          'rsa:2048',
          '-nodes',
          '-days',
          '2',
          '-keyout',
          keyFile,
          '-out',
          certFile,
          ...subject,
        ],
        { stdio: 'pipe' },
      );
      const server = await start({ tls: { certFile, keyFile, caFile: certFile } });
      expect(server.url).toMatch(/^rediss:/);
      expect(await server.cli('PING')).toBe('PONG');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
