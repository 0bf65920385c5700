// What the ledger is measured on. Each workload runs in the process that is measured and says how many operations it did.
import { once } from 'node:events';
import http from 'node:http';
import { connect } from 'node:net';
import { built, require } from '../support/build.mjs';
import { answer, DATA, frame, PATTERN } from '../command-cpu/request.mjs';

/** @typedef {{ run: (ms: number) => Promise<number> }} Workload */

/** Runs `batch` (which returns how many operations it did) until `ms` have passed. */
async function repeat(ms, batch) {
  const endsAt = performance.now() + ms;
  let count = 0;
  while (performance.now() < endsAt) count += await batch();
  return count;
}

/** Keeps `request` going on every socket, `perWrite` at a time, and counts what `countIn` finds in the answers. */
function pipelined(sockets, request, perWrite, countIn) {
  return async (ms) => {
    const endsAt = performance.now() + ms;
    let count = 0;
    await Promise.all(
      sockets.map(
        (socket) =>
          new Promise((resolve) => {
            let expected = perWrite;
            const onData = (chunk) => {
              const answered = countIn(chunk);
              count += answered;
              expected -= answered;
              if (expected > 0) return;
              if (performance.now() >= endsAt) {
                socket.off('data', onData);
                resolve();
              } else {
                expected = perWrite;
                socket.write(request());
              }
            };
            socket.on('data', onData);
            socket.write(request());
          }),
      ),
    );
    return count;
  };
}

const countOf = (mark) => {
  const bytes = Buffer.from(mark);
  return (chunk) => {
    let count = 0;
    for (let at = chunk.indexOf(bytes); at !== -1; at = chunk.indexOf(bytes, at + bytes.length)) count++;
    return count;
  };
};

async function listening(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

async function sockets(port, count) {
  const opened = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1', noDelay: true }));
  await Promise.all(opened.map((socket) => once(socket, 'connect')));
  return opened;
}

const BODY = JSON.stringify({ hello: 'world', list: [1, 2, 3] });
const httpServer = () =>
  http.createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(BODY);
  });

export const workloads = {
  async 'HTTP keep-alive'() {
    const port = await listening(httpServer());
    const request = 'GET / HTTP/1.1\r\nHost: bench\r\n\r\n';
    return { run: pipelined(await sockets(port, 32), () => request, 1, countOf('HTTP/1.1 200')) };
  },

  async 'HTTP connection per request'() {
    const port = await listening(httpServer());
    const get = () =>
      new Promise((resolve, reject) => {
        http
          .get({ port, host: '127.0.0.1', agent: false }, (response) => response.resume().once('close', resolve))
          .once('error', reject);
      });
    const batch = async () => {
      await Promise.all(Array.from({ length: 16 }, get));
      return 16;
    };
    return { run: (ms) => repeat(ms, batch) };
  },

  async 'ioredis traffic'({ redisPort }) {
    const { Redis } = require('ioredis');
    const client = new Redis({ port: redisPort });
    await client.set('key', 'value');
    const batch = async () => {
      await Promise.all(Array.from({ length: 100 }, () => client.get('key')));
      return 100;
    };
    return { run: (ms) => repeat(ms, batch) };
  },

  async 'ioredis client churn'({ redisPort }) {
    const { Redis } = require('ioredis');
    const one = async () => {
      const client = new Redis({ port: redisPort });
      await client.ping();
      client.disconnect();
    };
    const batch = async () => {
      await Promise.all(Array.from({ length: 8 }, one));
      return 8;
    };
    return { run: (ms) => repeat(ms, batch) };
  },

  async 'promise-heavy'() {
    const leaf = async (value) => value + 1;
    const branch = async (value) => (await leaf(value)) + (await leaf(value + 1));
    const batch = async () => {
      for (let index = 0; index < 500; index++) await Promise.all([branch(index), branch(index + 1)]);
      return 500;
    };
    return { run: (ms) => repeat(ms, batch) };
  },

  async 'timer-heavy'() {
    let fired = 0;
    const fire = () => fired++;
    const batch = async () => {
      for (let index = 0; index < 1_000; index++) {
        const timer = setTimeout(fire, 1 + (index % 50));
        if (index % 4 !== 0) clearTimeout(timer);
      }
      await new Promise(setImmediate);
      return 1_000;
    };
    return { run: (ms) => repeat(ms, batch) };
  },

  async 'command path'() {
    require('reflect-metadata');
    const { Controller, Module } = require('@nestjs/common');
    const { NestFactory } = require('@nestjs/core');
    const { ConfigModule } = built('config/config.module.js');
    const { readSettings } = built('config/settings.js');
    const { LifecycleModule } = built('lifecycle/lifecycle.module.js');
    const { Command } = built('transport/command.decorator.js');
    const { CommanderServer } = built('transport/commander-server.js');
    const { TransportModule } = built('transport/transport.module.js');
    class BenchController {
      async get(request) {
        return answer(request);
      }
    }
    const method = Object.getOwnPropertyDescriptor(BenchController.prototype, 'get');
    Command(PATTERN)(BenchController.prototype, 'get', method);
    Controller()(BenchController);
    class BenchModule {}
    Module({
      imports: [
        ConfigModule.forRoot(readSettings({ TCP_PORT: '0', MAX_REQUESTS_PER_SECOND: '0' })),
        LifecycleModule,
        TransportModule,
      ],
      controllers: [BenchController],
    })(BenchModule);
    const app = await NestFactory.create(BenchModule, { logger: false });
    const server = app.get(CommanderServer);
    app.connectMicroservice({ strategy: server });
    await app.init();
    await app.startAllMicroservices();
    let lastId = 0;
    const request = () => {
      let text = '';
      for (let index = 0; index < 8; index++) text += frame({ id: String(++lastId), pattern: PATTERN, data: DATA });
      return text;
    };
    return { run: pipelined(await sockets(server.address().port, 8), request, 8, countOf('"isDisposed":true')) };
  },
};
