// (c) and (d) node:net with the same framing and nothing else: no routing, no promise, no check of anything.
import { createServer } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { measured } from '../support/measured-server.mjs';
import { answer, frame } from './request.mjs';

const isGathering = process.argv.includes('--one-write-per-tick');

const server = createServer({ noDelay: true }, (socket) => {
  const decoder = new StringDecoder('utf8');
  let unread = '';
  let gathered = '';
  const write = () => {
    socket.write(gathered);
    gathered = '';
  };
  const reply = (text) => {
    if (!isGathering) return void socket.write(text);
    if (gathered === '') process.nextTick(write);
    gathered += text;
  };
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    unread += decoder.write(chunk);
    let offset = 0;
    for (;;) {
      const hash = unread.indexOf('#', offset);
      if (hash === -1) break;
      const end = hash + 1 + Number(unread.slice(offset, hash));
      if (unread.length < end) break;
      const { id, data } = JSON.parse(unread.slice(hash + 1, end));
      reply(frame({ id, response: answer(data), isDisposed: true }));
      offset = end;
    }
    unread = unread.slice(offset);
  });
});
server.listen(0, '127.0.0.1', () => measured(server.address().port));
