import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { FaultProxy } from './fault-proxy.js';

let echo: Server;
let proxy: FaultProxy;
const peers: Peer[] = [];

/** One end of a connection, with what it has heard. */
class Peer {
  heard = '';
  isClosed = false;
  error: NodeJS.ErrnoException | undefined;

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => (this.heard += chunk.toString()));
    socket.on('close', () => (this.isClosed = true));
    socket.on('error', (error) => (this.error = error));
  }
}

beforeEach(async () => {
  echo = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  proxy = await FaultProxy.start({ host: '127.0.0.1', port: (echo.address() as AddressInfo).port });
});
afterEach(async () => {
  for (const { socket } of peers.splice(0)) socket.destroy();
  await proxy.stop();
  await new Promise((resolve) => echo.close(resolve));
});

async function peer(): Promise<Peer> {
  const socket = connect({ host: '127.0.0.1', port: proxy.port });
  const made = new Peer(socket);
  peers.push(made);
  await new Promise((resolve) => socket.once('connect', resolve));
  return made;
}

it('carries both ways, and the end of each side', async () => {
  const one = await peer();
  one.socket.write('there and back');
  await eventually(() => one.heard === 'there and back');
  one.socket.end();
  await eventually(() => one.isClosed && proxy.openCount === 0);
  expect(proxy.acceptedCount).toBe(1);
});

it('delays, in order', async () => {
  const one = await peer();
  proxy.delayMs = 100;
  const at = performance.now();
  one.socket.write('a');
  await eventually(() => one.heard === 'a', { intervalMs: 1 });
  expect(performance.now() - at).toBeGreaterThan(190);
  for (const letter of 'bcdef') {
    one.socket.write(letter);
    await sleep(10);
    if (letter === 'd') proxy.delayMs = 0;
  }
  await eventually(() => one.heard === 'abcdef');
});

it('a half-open connection stays open and silent for ever; healed, only new ones carry', async () => {
  const one = await peer();
  proxy.blackhole();
  const two = await peer();
  for (const { socket } of [one, two]) socket.write('anybody?');
  proxy.heal();
  const three = await peer();
  three.socket.write('hello');
  await eventually(() => three.heard === 'hello');
  expect([one, two]).toMatchObject([
    { heard: '', isClosed: false },
    { heard: '', isClosed: false },
  ]);
});

it('resets', async () => {
  const one = await peer();
  one.socket.write('x');
  await eventually(() => one.heard === 'x');
  proxy.reset();
  await eventually(() => one.isClosed);
  expect(one.error?.code).toBe('ECONNRESET');
});

it('puts other words into the mouth of the far side', async () => {
  const one = await peer();
  proxy.rewrite = () => Buffer.from('lies');
  one.socket.write('truth');
  await eventually(() => one.heard === 'lies');
});
