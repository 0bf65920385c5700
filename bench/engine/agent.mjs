// The agent of both sides: answers agent.execute at once and notes when each arrived. With --commander=port it registers there.
// --hold: answers nothing. Asked by the parent: `awaitArrivals {count}`, `arrivals`, `forget`.
import { createServer } from 'node:net';
import { once } from 'node:events';
import { serveParent } from '../support/child.mjs';
import { FramedPeer, packetWriter, readFrames } from '../support/framed-peer.mjs';

const commanderPort = process.argv
  .find((argument) => argument.startsWith('--commander='))
  ?.slice('--commander='.length);
const isHolding = process.argv.includes('--hold');

/** When each call arrived, and when it was due, ms since the epoch (due: 0 for none). */
let arrivals = [];
let awaited = { count: Infinity, tell: () => {} };

const server = createServer({ noDelay: true }, (socket) => {
  const write = packetWriter(socket);
  socket.on('error', () => {});
  readFrames(socket, ({ id, pattern, data }) => {
    if (pattern !== 'agent.execute') return write({ id, response: {}, isDisposed: true });
    arrivals.push([Date.now(), data.tickAt ?? 0]);
    if (!isHolding) write({ id, response: { result: { status: 200, changed: true } }, isDisposed: true });
    if (arrivals.length >= awaited.count) awaited.tell();
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();

if (commanderPort !== undefined) {
  const commander = await FramedPeer.connect(Number(commanderPort));
  const identity = { agentId: 'bench', instanceEpoch: Date.now() };
  const register = () =>
    commander.call('agent.register', {
      ...identity,
      host: '127.0.0.1',
      port,
      capabilities: ['crawl'],
      capacity: 10_000,
    });
  const { heartbeatEveryMs } = await register();
  setInterval(async () => {
    // The commander goes first.
    const answer = await commander.call('agent.heartbeat', { ...identity, inFlight: 0 }).catch(() => undefined);
    if (answer?.unknown) await register();
  }, heartbeatEveryMs);
}

serveParent(
  { port },
  {
    awaitArrivals: ({ count }) =>
      new Promise((resolve) => {
        const doneAt = () => resolve({ at: Date.now() });
        if (arrivals.length >= count) doneAt();
        else awaited = { count, tell: doneAt };
      }),
    arrivals: () => ({ arrivals }),
    forget: () => {
      arrivals = [];
      awaited = { count: Infinity, tell: () => {} };
    },
  },
);
