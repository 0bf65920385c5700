import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { MAX_HTTP_CONNECTIONS } from '../../src/diagnostics/http/http-bounds';
import type { BuiltApp } from '../support/built-app';
import { eventually } from '../support/eventually';
import { httpGet } from '../support/http-get';
import { Service } from '../support/service';

jest.setTimeout(120_000);

/** A connection to the HTTP port, and what was answered on it. */
class Stranger {
  text = '';

  private constructor(readonly socket: Socket) {
    socket.setEncoding('latin1').on('data', (chunk) => (this.text += chunk.toString()));
    socket.on('error', () => undefined);
  }

  static async to(port: number): Promise<Stranger> {
    const socket = connect(port, '127.0.0.1');
    const stranger = new Stranger(socket);
    await once(socket, 'connect');
    return stranger;
  }

  get hasGone(): boolean {
    return this.socket.destroyed;
  }

  /** Status and `code` of the answer; null until it is there in full. */
  get answer(): { status: number; code: string; head: string } | null {
    const [, status, head, body] = /^HTTP\/1\.1 (\d+) [^\r]*\r\n([^]*?)\r\n\r\n([^]*\}\n)/.exec(this.text) ?? [];
    return body === undefined
      ? null
      : { status: Number(status), code: JSON.parse(body).code, head: head!.toLowerCase() };
  }
}

describe('strangers at the HTTP port of commander', () => {
  let service: Service;
  let app: BuiltApp;
  const strangers: Stranger[] = [];
  const stranger = async (): Promise<Stranger> => {
    const came = await Stranger.to(app.httpPort);
    strangers.push(came);
    return came;
  };

  beforeAll(async () => {
    service = await Service.start({ DIAGNOSTICS_TOKEN: 'a-token-of-the-test' });
    app = service.replicas[0]!;
  });
  afterEach(async () => {
    for (const { socket } of strangers) socket.destroy();
    await eventually(() => strangers.every(({ hasGone }) => hasGone));
    strangers.length = 0;
  });
  afterAll(() => service.stop());

  const post = (host: string, type: string, announced: number): string =>
    `POST /diagnostics HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${type}\r\nContent-Length: ${announced}\r\n\r\n`;

  it.each([
    ['that of a stranger', 'example.org', 401, 'UNAUTHENTICATED'],
    ['that of this machine', 'localhost', 413, 'PAYLOAD_TOO_LARGE'],
  ])('read no body before the answer: %s', async (_whose, host, status, code) => {
    for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
      const peer = await stranger();
      // A byte less than announced: whoever waits for all of it never answers.
      peer.socket.write(post(host, type, 100_000) + 'a'.repeat(99_999));
      const { head, ...answer } = await eventually(() => peer.answer ?? false);
      expect(answer).toEqual({ status, code });
      expect(head).toContain('x-content-type-options: nosniff');
      expect(head).toContain('cache-control: no-store');
    }
  });

  it('are refused in one way, whatever the body is, and without a line in the log', async () => {
    const linesBefore = app.logLines().length;
    const broken = await stranger();
    broken.socket.write(`${post('localhost', 'application/json', 9)}{"broken"`);
    const long = await stranger();
    long.socket.write(post('localhost', 'application/json', 1_000_000));
    for (const peer of [broken, long]) {
      const answer = await eventually(() => peer.answer ?? false);
      expect([answer.status, answer.code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    }
    expect((await httpGet(`${app.httpUrl}/livez`)).status).toBe(200);
    expect(
      app
        .logLines()
        .slice(linesBefore)
        .filter(({ level }) => level === 'error' || Number(level) >= 50),
    ).toEqual([]);
  });

  it('hold no more than a number of connections, and keep no probe out', async () => {
    for (let count = 0; count < MAX_HTTP_CONNECTIONS + 20; count++) {
      (await stranger()).socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    }
    // Each takes the place of the one that has waited longest: they come in.
    // A replica may say for once that Redis is late; that is an answer, too.
    for (const [path, statuses] of [
      ['/livez', [200]],
      ['/readyz', [200, 503]],
      ['/metrics', [200]],
    ] as const)
      expect(statuses).toContain((await httpGet(`${app.httpUrl}${path}`)).status);
    await eventually(async () => expect((await httpGet(`${app.httpUrl}/readyz`)).status).toBe(200));
    await eventually(() => expect(strangers.slice(0, 20).map(({ hasGone }) => hasGone)).not.toContain(false));
    expect(strangers.filter(({ hasGone }) => !hasGone).length).toBeLessThanOrEqual(MAX_HTTP_CONNECTIONS);
  });

  it('are cut when their head or their body does not come', async () => {
    const head = await stranger();
    head.socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    const body = await stranger();
    body.socket.write('POST /elsewhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf');
    const silent = await stranger();
    // Node's own times are 60 s and more.
    await eventually(() => expect([head, body, silent].map(({ hasGone }) => hasGone)).toEqual([true, true, true]), {
      timeoutMs: 45_000,
    });
  });

  it('are all who have no token, where this machine is not trusted', async () => {
    const wary = await service.addReplica({ DIAGNOSTICS_TRUST_LOOPBACK: 'false' });
    expect((await httpGet(`${wary.httpUrl}/diagnostics`)).status).toBe(401);
    expect((await httpGet(`${wary.httpUrl}/livez`)).status).toBe(200);
    const headers = { Authorization: 'Bearer a-token-of-the-test' };
    expect((await httpGet(`${wary.httpUrl}/diagnostics`, { headers })).status).toBe(200);
  });

  it('do not cut a reader of live events off', async () => {
    const reader = await stranger();
    reader.socket.write('GET /diagnostics/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await eventually(() => expect(reader.text).toContain('event: sample'));
    for (let count = 0; count < MAX_HTTP_CONNECTIONS + 5; count++) await stranger();
    const before = reader.text.split('event: sample').length;
    await eventually(() => expect(reader.text.split('event: sample').length).toBeGreaterThan(before));
  });
});
