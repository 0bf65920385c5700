import { readFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AgentStrangers, type StrangerLimits } from '../../src/sdk/agent-strangers.js';
import { Certificates } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { AgentApp } from './support/agent-app.js';
import { Crawler } from './support/crawler.js';
import type { RawPeer } from './support/raw-peer.js';

const NEVER_MS = 600_000;
/** After ten seconds each of them would be gone by itself. */
const BEFORE_THEIR_TIME = { timeoutMs: 8_000 };

describe('connections that have not shown that they may speak', () => {
  let server: Server;
  const peers: Socket[] = [];
  const accepted: Socket[] = [];
  let strangers: AgentStrangers;

  /** Resolves when the newest of `count` further connections is accepted. */
  async function come(count: number): Promise<void> {
    const before = accepted.length;
    for (let index = 0; index < count; index += 1) {
      peers.push(connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined));
      await eventually(() => accepted.length === before + index + 1);
    }
  }
  const left = () => accepted.map((socket) => !socket.destroyed);

  async function listen(limits: Partial<StrangerLimits>): Promise<void> {
    strangers = new AgentStrangers({ count: 100, bytes: 1_000_000, timeoutMs: NEVER_MS, ...limits });
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      strangers.admit(socket);
      accepted.push(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }
  afterEach(async () => {
    for (const socket of [...peers.splice(0), ...accepted.splice(0)]) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('are so many at most: the oldest makes room', async () => {
    await listen({ count: 2 });
    await come(2);
    strangers.trust(accepted[0]!);
    await come(2);
    expect(left()).toEqual([true, false, true, true]);
    expect(strangers.count).toBe(2);
  });

  it('hold so much of incomplete requests at most: the oldest that holds some makes room', async () => {
    await listen({ bytes: 1_000 });
    await come(4);
    const [, first, second, third] = accepted as [Socket, Socket, Socket, Socket];
    expect(strangers.hear(first, 600)).toBe(true);
    strangers.read(first);
    strangers.hear(first, 500);
    strangers.hear(second, 500);
    expect(left()).toEqual([true, true, true, true]);
    strangers.hear(third, 100);
    expect(left()).toEqual([true, false, true, true]);
    strangers.trust(second);
    strangers.hear(third, 900);
    expect(left()).toEqual([true, false, true, true]);
    expect(strangers.hear(second, 5_000)).toBe(false);
  });

  it('have so long; who shows it in time stays', async () => {
    await listen({ timeoutMs: 50 });
    // As it comes in: a process that stands still would find the time of both over.
    server.on('connection', (socket) => {
      if (accepted.length === 2) strangers.trust(socket);
    });
    await come(2);
    await eventually(() => accepted[0]!.destroyed);
    expect(left()).toEqual([false, true]);
    await eventually(() => strangers.count === 0);
  });
});

describe('an agent whose port strangers fill', () => {
  let app: AgentApp;
  const strangers: Socket[] = [];
  afterEach(async () => {
    for (const socket of strangers.splice(0)) socket.destroy();
    await app?.stop();
  });
  const stranger = (bytes?: string) => {
    const socket = connect(app.port, '127.0.0.1').on('error', () => undefined);
    if (bytes !== undefined) socket.write(bytes);
    strangers.push(socket);
  };
  const openCount = () => strangers.filter((socket) => !socket.closed).length;

  it('serves who has the token, and the connections it had before', async () => {
    app = await AgentApp.start({ commander: { port: 1, token: 'secret' } }, [Crawler]);
    const before = await app.peer();
    const ping = async (peer: RawPeer) => (await peer.call('agent.ping', {}, { token: 'secret' })).response;
    expect(await ping(before)).toBeDefined();
    for (let count = 0; count < 300; count += 1) stranger();
    await eventually(() => openCount() <= 32, BEFORE_THEIR_TIME);
    expect(await ping(await app.peer())).toBeDefined();
    expect(await ping(before)).toBeDefined();
  });

  it('holds no more than a few of their requests', async () => {
    app = await AgentApp.start({ commander: { port: 1, token: 'secret' }, maxFrameChars: 100_000 }, [Crawler]);
    for (let count = 0; count < 20; count += 1) stranger(`100000#${'x'.repeat(90_000)}`);
    await eventually(() => openCount() <= 4, BEFORE_THEIR_TIME);
    expect((await (await app.peer()).call('agent.ping', {}, { token: 'secret' })).response).toBeDefined();
  });

  it('does so over TLS, whether they shake hands or not', async () => {
    const certificates = await Certificates.create();
    try {
      const [ca, cert, key] = await Promise.all(
        [certificates.caFile, certificates.certFile, certificates.keyFile].map((file) => readFile(file)),
      );
      app = await AgentApp.start({ commander: { port: 1, token: 'secret' }, listenTls: { cert, key } }, [Crawler]);
      for (let count = 0; count < 20; count += 1) stranger();
      for (let count = 0; count < 20; count += 1) {
        strangers.push(connectTls({ port: app.port, host: '127.0.0.1', ca }).on('error', () => undefined));
      }
      await eventually(() => openCount() <= 32, BEFORE_THEIR_TIME);
    } finally {
      await certificates.remove();
    }
  });
});
