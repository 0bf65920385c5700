import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { require } from './build.mjs';
import { dieWithUs } from './die-with-us.mjs';

const { Redis } = require('ioredis');

/** A redis-server of the benchmark's own, without persistence, and a client for looking into it. */
export class RedisProcess {
  #server;
  #directory;

  constructor(server, directory, port, client) {
    this.#server = server;
    this.#directory = directory;
    this.port = port;
    this.client = client;
  }

  static async start() {
    const directory = await mkdtemp(join(tmpdir(), 'commander-bench-redis-'));
    const port = await freePort();
    const options = [
      '--bind',
      '127.0.0.1',
      '--port',
      String(port),
      '--dir',
      directory,
      '--save',
      '',
      '--appendonly',
      'no',
    ];
    const server = spawn('redis-server', options, { stdio: ['ignore', 'ignore', 'inherit'] });
    const release = dieWithUs(server.pid);
    server.once('exit', release);
    const client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 50, maxRetriesPerRequest: 100 });
    client.on('error', () => {});
    await client.ping();
    return new RedisProcess(server, directory, port, client);
  }

  get url() {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid() {
    return this.#server.pid;
  }

  async stop() {
    this.client.disconnect();
    const exited = once(this.#server, 'exit');
    this.#server.kill('SIGTERM');
    await exited;
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
