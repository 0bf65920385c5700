// Sends commands as the parent says: { port, connections, inFlight, isBurst, requests } → 'done'.
import { connect } from 'node:net';
import { once } from 'node:events';
import { StringDecoder } from 'node:string_decoder';
import { DATA, frame, PATTERN } from './request.mjs';

let lastId = 0;
const request = () => frame({ id: String(++lastId), pattern: PATTERN, data: DATA });

/** Keeps `inFlight` commands under way on one connection until `requests` are answered; as bursts: none before all are back. */
async function drive({ port, inFlight, isBurst, requests }) {
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
  await Promise.all(Array.from({ length: connections }, () => drive({ ...rest, requests: each })));
  process.send('done');
});
process.send('ready');
