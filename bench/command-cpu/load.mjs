// Sends commands as the parent says: { port, connections, inFlight, isBurst, requests } → { p99Ms }, from the write of a command to its reply.
import { connect } from 'node:net';
import { once } from 'node:events';
import { StringDecoder } from 'node:string_decoder';
import { quantile } from '../support/quantile.mjs';
import { DATA, frame, PATTERN } from './request.mjs';

let lastId = 0;
const sentAt = new Map();
const request = () => {
  const id = String(++lastId);
  sentAt.set(id, performance.now());
  return frame({ id, pattern: PATTERN, data: DATA });
};
const replyId = /"id":"(\d+)"/g;

/** Keeps `inFlight` commands under way on one connection until `requests` are answered; as bursts: none before all are back. */
async function drive({ port, inFlight, isBurst, requests, tookMs }) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const decoder = new StringDecoder('utf8');
  let unread = '';
  let sent = 0;
  let answered = 0;
  const send = (count) => {
    let text = '';
    for (let i = 0; i < count && sent < requests; i++, sent++) text += request();
    if (text !== '') socket.write(text);
  };
  await new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed the connection')));
    socket.on('data', (chunk) => {
      unread += decoder.write(chunk);
      let offset = 0;
      let count = 0;
      for (;;) {
        const hash = unread.indexOf('#', offset);
        if (hash === -1) break;
        const end = hash + 1 + Number(unread.slice(offset, hash));
        if (unread.length < end) break;
        // Nest announces the end of an answer within its packet; an error would be a broken benchmark.
        if (!unread.includes('"isDisposed":true', hash) || unread.slice(hash, end).includes('"err"')) {
          return reject(new Error(`unexpected reply ${unread.slice(hash + 1, end)}`));
        }
        // Commander's packets begin with the reply, in which an id is no number.
        replyId.lastIndex = hash;
        const [, id] = replyId.exec(unread);
        tookMs.push(performance.now() - sentAt.get(id));
        sentAt.delete(id);
        offset = end;
        count++;
      }
      unread = unread.slice(offset);
      answered += count;
      if (answered === requests) resolve();
      else if (!isBurst) send(count);
      else if (answered === sent) send(inFlight);
    });
    send(inFlight);
  });
  socket.destroy();
}

process.on('disconnect', () => process.exit(0));
process.on('message', async ({ connections, requests, ...rest }) => {
  const each = Math.ceil(requests / connections);
  const tookMs = [];
  await Promise.all(Array.from({ length: connections }, () => drive({ ...rest, requests: each, tookMs })));
  process.send({ p99Ms: quantile(tookMs, 0.99) });
});
process.send('ready');
