import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { RedisServer } from '../../test/support/redis-server.js';
import type { Scenario } from './scenario.js';

type Need = Scenario['needs'][number];

/** Longer than what a socket buffers on the way. */
const LARGE = Buffer.alloc(256 * 1024, 'x');
const FLAP_MS = 1_000;

/** What a scenario talks to, in processes and sockets of our own; `env` tells it where. */
export class Surroundings {
  readonly env: Record<string, string> = {};
  private readonly closing: (() => Promise<void> | void)[] = [];

  static async start(needs: readonly Need[]): Promise<Surroundings> {
    const surroundings = new Surroundings();
    try {
      for (const need of needs) await surroundings.bring(need);
      return surroundings;
    } catch (error) {
      await surroundings.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const close of this.closing.splice(0).reverse()) await close();
  }

  private async bring(need: Need): Promise<void> {
    switch (need) {
      case 'redis': {
        const redis = await RedisServer.start({ args: ['--maxclients', '15000'] });
        this.closing.push(() => redis.stop());
        this.env.REDIS_URL = redis.url;
        return;
      }
      case 'flap': {
        const redisPort = Number(new URL(this.env.REDIS_URL).port);
        this.env.FLAPPING_REDIS_URL = `redis://127.0.0.1:${await this.listen(flapping(redisPort, this.closing))}`;
        return;
      }
      case 'http':
        this.env.PEER_URL = `http://127.0.0.1:${await this.listen(
          createHttpServer({ keepAliveTimeout: 600_000 }, (request, response) => {
            response.setHeader('content-type', 'text/plain');
            response.end(request.url === '/large' ? LARGE : 'small');
          }),
        )}`;
        return;
      case 'nest':
        this.env.NEST_PORT = String(await this.listen(createServer(answering)));
        return;
      case 'mute':
        this.env.MUTE_PORT = String(await this.listen(createServer((socket) => socket.resume())));
    }
  }

  private async listen(server: Server): Promise<number> {
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => sockets.delete(socket));
    });
    server.listen(0, '127.0.0.1', 4_096);
    await once(server, 'listening');
    this.closing.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }
}

/** In front of a Redis: cuts every connection once a second. */
function flapping(redisPort: number, closing: (() => void)[]): Server {
  const pairs = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(redisPort, '127.0.0.1');
    far.on('error', () => undefined);
    near.pipe(far).pipe(near);
    pairs.add(near);
    near.once('close', () => {
      pairs.delete(near);
      far.destroy();
    });
  });
  const timer = setInterval(() => {
    for (const socket of pairs) socket.destroy();
  }, FLAP_MS);
  closing.push(() => clearInterval(timer));
  return server;
}

/** Nest's framing, `<length>#<json>`: answers each request with its own data. */
function answering(socket: Socket): void {
  let unread = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    unread += String(chunk);
    for (let hash; (hash = unread.indexOf('#')) >= 0;) {
      const end = hash + 1 + Number(unread.slice(0, hash));
      if (unread.length < end) return;
      const { id, data } = JSON.parse(unread.slice(hash + 1, end)) as { id: string; data: unknown };
      unread = unread.slice(end);
      const reply = JSON.stringify({ id, response: data, isDisposed: true });
      socket.write(`${reply.length}#${reply}`);
    }
  });
}
