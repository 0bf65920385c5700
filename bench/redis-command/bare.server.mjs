// The command `run.get` with nothing of the product: Nest's framing, one HGETALL, the reply. How it reaches Redis: --how=
// shared: one client, with ioredis' automatic pipelining · per-call: a client for each call that nobody closes, as in the incident ·
// close-after: a client for each call, closed when it is answered.
import { createServer } from 'node:net';
import { once } from 'node:events';
import { require } from '../support/build.mjs';
import { serveParent } from '../support/child.mjs';
import { numberFlag, textFlag } from '../support/flags.mjs';
import { packetWriter, readFrames } from '../support/framed-peer.mjs';

const { Redis } = require('ioredis');

const how = textFlag('how');
const options = { host: '127.0.0.1', port: numberFlag('redis') };
const shared = how === 'shared' ? new Redis({ ...options, enableAutoPipelining: true }) : undefined;

async function read(key) {
  if (shared !== undefined) return shared.hgetall(key);
  const client = new Redis(options);
  const fields = await client.hgetall(key);
  if (how === 'close-after') await client.quit();
  return fields;
}

function view(fields) {
  const spec = JSON.parse(fields.spec);
  return {
    runId: fields.runId,
    namespace: fields.namespace,
    job: spec.job,
    state: fields.state,
    attempt: Number(fields.attempt),
    maxAttempts: spec.retry.maxAttempts,
    epoch: Number(fields.epoch),
    createdAt: Number(fields.createdAt),
    dueAt: Number(fields.dueAt),
  };
}

const server = createServer({ noDelay: true }, (socket) => {
  const write = packetWriter(socket);
  socket.on('error', () => {});
  readFrames(socket, async ({ id, data }) => {
    const fields = await read(`{commander}:run:default:${data.runId}`);
    write({ id, response: view(fields), isDisposed: true });
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
serveParent({ port: server.address().port }, { memory: () => ({ rssBytes: process.memoryUsage.rss() }) });
