import { connect } from 'node:net';
import { once } from 'node:events';
import { StringDecoder } from 'node:string_decoder';

/** Nest's frame: length in UTF-16 code units, `#`, JSON. @param {unknown} packet */
export function frame(packet) {
  const json = JSON.stringify(packet);
  return `${json.length}#${json}`;
}

/** Calls `receive` with each packet that arrives on a socket. @param {import('node:net').Socket} socket @param {(packet: any) => void} receive */
export function readFrames(socket, receive) {
  const decoder = new StringDecoder('utf8');
  let unread = '';
  socket.on('data', (chunk) => {
    unread += decoder.write(chunk);
    let offset = 0;
    for (;;) {
      const hash = unread.indexOf('#', offset);
      if (hash === -1) break;
      const end = hash + 1 + Number(unread.slice(offset, hash));
      if (unread.length < end) break;
      receive(JSON.parse(unread.slice(hash + 1, end)));
      offset = end;
    }
    unread = unread.slice(offset);
  });
}

/** Writes to a socket once per turn of the loop, whatever number of packets. @param {import('node:net').Socket} socket */
export function packetWriter(socket) {
  let gathered = '';
  return (packet) => {
    if (gathered === '') {
      process.nextTick(() => {
        socket.write(gathered);
        gathered = '';
      });
    }
    gathered += frame(packet);
  };
}

/** The calling end of Nest's TCP framing with nothing of the product in it: one socket, many calls under way. */
export class FramedPeer {
  #socket;
  #write;
  #calls = new Map();
  #lastId = 0;

  constructor(socket) {
    this.#socket = socket;
    this.#write = packetWriter(socket);
    readFrames(socket, ({ id, err, response }) => {
      const call = this.#calls.get(id);
      this.#calls.delete(id);
      if (err) call?.reject(new Error(JSON.stringify(err)));
      else call?.resolve(response);
    });
    socket.on('error', () => {});
    socket.once('close', () => {
      for (const { reject } of this.#calls.values()) reject(new Error('the connection was closed'));
    });
  }

  /** @param {number} port on loopback */
  static async connect(port) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new FramedPeer(socket);
  }

  /** @param {string} pattern @param {object} data */
  call(pattern, data) {
    const id = String(++this.#lastId);
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#write({ id, pattern, data });
    });
  }

  close() {
    this.#socket.destroy();
  }
}
