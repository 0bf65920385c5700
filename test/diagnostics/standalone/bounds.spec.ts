import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { serveDiagnostics, type ServedDiagnostics } from '../../../src/diagnostics/standalone';
import { eventually } from '../../support/eventually';
import { httpGet } from '../../support/http-get';

jest.setTimeout(60_000);

const log = { info: () => undefined, warn: () => undefined };

/** A connection, and what was said on it until it closed. */
class Peer {
  text = '';
  readonly closed: Promise<unknown>;

  private constructor(readonly socket: Socket) {
    socket.setEncoding('latin1').on('data', (chunk) => (this.text += chunk.toString()));
    socket.on('error', () => undefined);
    this.closed = once(socket, 'close');
  }

  static async to(port: number): Promise<Peer> {
    const socket = connect(port, '127.0.0.1');
    const peer = new Peer(socket);
    await once(socket, 'connect');
    return peer;
  }

  get statusLine(): string {
    return this.text.split('\r\n', 1)[0]!;
  }
}

describe('the server of serveDiagnostics', () => {
  let served: ServedDiagnostics;
  beforeEach(async () => {
    served = await serveDiagnostics({ port: 0, log });
  });
  afterEach(() => served.close());

  it('drops whoever sends nothing, a head byte by byte, or a body that does not come', async () => {
    const startedMs = performance.now();
    const silent = await Peer.to(served.port);
    const drip = await Peer.to(served.port);
    drip.socket.write('GET /diagnostics HTTP/1.1\r\nHost: localhost\r\n');
    let drops = 0;
    const dripping = setInterval(() => drip.socket.write(`X-${drops++}: a\r\n`), 200);
    const waiting = await Peer.to(served.port);
    waiting.socket.write('POST /elsewhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf');
    try {
      await Promise.all([silent.closed, drip.closed, waiting.closed]);
    } finally {
      clearInterval(dripping);
    }
    expect(drip.statusLine).toBe('HTTP/1.1 408 Request Timeout');
    // Half a minute is what Node itself takes to look for them.
    expect(performance.now() - startedMs).toBeLessThan(25_000);
    expect(drops).toBeGreaterThan(5);
    expect((await httpGet(`http://127.0.0.1:${served.port}/diagnostics`)).status).toBe(200);
  });

  it('takes heads of 8 KiB at most', async () => {
    const head = (length: number) =>
      `GET /diagnostics HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'a'.repeat(length)}\r\n\r\n`;
    const long = await Peer.to(served.port);
    long.socket.write(head(9_000));
    await long.closed;
    expect(long.statusLine).toBe('HTTP/1.1 431 Request Header Fields Too Large');
    const fitting = await Peer.to(served.port);
    fitting.socket.write(head(7_000));
    await eventually(() => fitting.statusLine === 'HTTP/1.1 200 OK');
    fitting.socket.destroy();
    await fitting.closed;
  });

  it('takes no body, announced or not, and reads none', async () => {
    for (const body of ['Content-Length: 1000000000\r\n\r\n', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n']) {
      for (const request of ['POST /diagnostics/snapshot', 'GET /diagnostics']) {
        const peer = await Peer.to(served.port);
        peer.socket.write(`${request} HTTP/1.1\r\nHost: localhost\r\n${body}`);
        await peer.closed;
        expect([request, peer.statusLine]).toEqual([request, 'HTTP/1.1 413 Payload Too Large']);
        expect(peer.text).toContain('"PAYLOAD_TOO_LARGE"');
      }
    }
  });

  it('counts what is not served like any other request', async () => {
    const stranger = await Peer.to(served.port);
    stranger.socket.write('GET /nothing HTTP/1.1\r\nHost: example.org\r\n\r\n'.repeat(200));
    await eventually(() => expect(stranger.text.match(/^HTTP\/1\.1 /gm)).toHaveLength(200));
    const statuses = new Set(Array.from(stranger.text.matchAll(/^HTTP\/1\.1 (\d+)/gm), ([, status]) => status));
    expect(statuses).toEqual(new Set(['404', '429']));
    expect((await httpGet(`http://127.0.0.1:${served.port}/nothing`)).status).toBe(404);
    stranger.socket.destroy();
    await stranger.closed;
  });

  it('takes 64 connections at most, and another one when one has gone', async () => {
    const peers = await Promise.all(Array.from({ length: 64 }, () => Peer.to(served.port)));
    const late = await Peer.to(served.port);
    await late.closed;
    expect(late.text).toBe('');
    peers[0]!.socket.destroy();
    await peers[0]!.closed;
    await eventually(async () => {
      expect((await httpGet(`http://127.0.0.1:${served.port}/diagnostics`)).status).toBe(200);
    });
    for (const peer of peers) peer.socket.destroy();
    await Promise.all(peers.map(({ closed }) => closed));
  });
});
