import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { httpGet, type HttpAnswer } from '../support/http-get';
import { outsideAddress } from '../support/outside-address';
import { isLoopbackAddress, isLoopbackHost } from '../../src/diagnostics/http/loopback';
import { DiagnosticsApp } from './support/diagnostics-app';

const TOKEN = 'correct-horse-battery-staple';

/** The status line of the answer to a request written by hand, for what no client library would send. */
function rawStatus(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(request));
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk) => (text += chunk));
    socket.on('error', reject).on('close', () => resolve(text.split('\r\n', 1)[0]!));
  });
}

const forwarding = [
  ['Forwarded', 'for=203.0.113.7'],
  ['X-Forwarded-For', '203.0.113.7'],
  ['X-Forwarded-Host', 'example.org'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Real-IP', '203.0.113.7'],
  ['Via', '1.1 proxy'],
  ['Client-IP', '203.0.113.7'],
  ['Fly-Client-IP', '203.0.113.7'],
  ['Fastly-Client-IP', '203.0.113.7'],
  ['X-Vercel-Forwarded-For', '203.0.113.7'],
  ['CDN-Loop', 'cloudflare'],
  ['CF-Ray', '230b030023ae2822-SJC'],
  ['X-Varnish', '32770'],
] as const;

describe('who may see /diagnostics', () => {
  describe('without a token', () => {
    let served: DiagnosticsApp;
    beforeAll(async () => {
      served = await DiagnosticsApp.start({ insecure: true }, '0.0.0.0');
    });
    afterAll(() => served.app.close());

    it.each(['127.0.0.1', 'localhost', 'LOCALHOST', '127.3.2.1', '[::1]'])(
      'lets in this machine as %s',
      async (host) => {
        for (const value of [host, `${host}:${served.port}`]) {
          expect((await httpGet(served.url('/diagnostics'), { headers: { Host: value } })).status).toBe(200);
        }
      },
    );

    it.each([
      'example.org',
      'example.org:6060',
      'localhost.example.org',
      '127.0.0.1.example.org',
      '10.0.0.1',
      'localhost:',
      '[::2]',
      '0.0.0.0',
    ])('refuses the Host %j of a page that resolved to this machine', async (host) => {
      const answer = await httpGet(served.url('/diagnostics'), { headers: { Host: host } });
      expect(answer.status).toBe(403);
      expect(answer.json()).toMatchObject({ code: 'FORBIDDEN', message: expect.any(String), retryable: false });
    });

    it.each(forwarding)('refuses what a proxy forwarded (%s)', async (name, value) => {
      const headers = { Host: `localhost:${served.port}` };
      expect((await httpGet(served.url('/diagnostics'), { headers: { ...headers, [name]: value } })).status).toBe(403);
      expect((await httpGet(served.url('/diagnostics'), { headers })).status).toBe(200);
    });

    it('lets nobody in with an empty bearer token', async () => {
      for (const authorization of ['Bearer', 'Bearer ', 'Bearer undefined', 'bearer  ']) {
        const answer = await httpGet(served.url('/diagnostics'), {
          headers: { Host: 'example.org', Authorization: authorization },
        });
        expect(answer.status).toBe(403);
      }
    });

    it.each([
      ['no Host', 'GET /diagnostics HTTP/1.0\r\n\r\n'],
      ['an empty Host', 'GET /diagnostics HTTP/1.0\r\nHost:\r\n\r\n'],
      ['two Hosts', 'GET /diagnostics HTTP/1.0\r\nHost: localhost\r\nHost: example.org\r\n\r\n'],
      ['two Hosts, the good one last', 'GET /diagnostics HTTP/1.0\r\nHost: example.org\r\nHost: localhost\r\n\r\n'],
    ])('refuses %s', async (_what, request) => {
      expect(await rawStatus(served.port, request)).toBe('HTTP/1.1 403 Forbidden');
      expect(await rawStatus(served.port, 'GET /diagnostics HTTP/1.0\r\nHost: localhost\r\n\r\n')).toBe(
        'HTTP/1.1 200 OK',
      );
    });

    (outsideAddress === undefined ? it.skip : it)(
      'refuses a peer from elsewhere, whatever Host it claims',
      async () => {
        for (const headers of [{}, { Host: 'localhost' }] as Record<string, string>[]) {
          const answer = await httpGet(served.url('/diagnostics', outsideAddress), { headers });
          expect(answer.status).toBe(403);
          expect(answer.json().code).toBe('FORBIDDEN');
        }
      },
    );
  });

  describe('with a token', () => {
    let served: DiagnosticsApp;
    beforeAll(async () => {
      served = await DiagnosticsApp.start({ token: TOKEN }, '0.0.0.0');
    });
    afterAll(() => served.app.close());

    it('still lets in this machine without it', async () => {
      expect((await httpGet(served.url('/diagnostics'))).status).toBe(200);
    });

    it('lets in whoever has it', async () => {
      const address = outsideAddress ?? '127.0.0.1';
      for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
        const headers = {
          Host: 'commander.example.org',
          'X-Forwarded-For': '203.0.113.7',
          Authorization: `${scheme} ${TOKEN}`,
        };
        expect((await httpGet(served.url('/diagnostics', address), { headers })).status).toBe(200);
      }
    });

    it.each([
      ['none', undefined],
      ['a wrong one', 'Bearer wrong'],
      ['one too short', `Bearer ${TOKEN.slice(1)}`],
      ['one too long', `Bearer ${TOKEN}x`],
      ['one in another case', `Bearer ${TOKEN.toUpperCase()}`],
      ['another scheme', `Basic ${TOKEN}`],
      ['no scheme', TOKEN],
    ])('answers 401 to %s', async (_what, authorization) => {
      const answer = await httpGet(served.url('/diagnostics'), {
        headers: {
          Host: 'commander.example.org',
          ...(authorization === undefined ? {} : { Authorization: authorization }),
        },
      });
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer /);
      expect(answer.json()).toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
      expect(answer.text).not.toContain(TOKEN);
    });

    it('does not take a token from the query', async () => {
      const answer = await httpGet(served.url(`/diagnostics?token=${TOKEN}`), {
        headers: { Host: 'commander.example.org' },
      });
      expect(answer.status).toBe(401);
    });
  });

  describe('behind a proxy on this machine', () => {
    /** Rewrites Host and adds no header, as nginx does with a bare `proxy_pass`. */
    async function throughProxy(port: number, authorization?: string): Promise<HttpAnswer> {
      const proxy = createServer(({ url, headers }, response) => {
        const passedOn: Record<string, string> =
          headers.authorization === undefined ? {} : { Authorization: headers.authorization };
        httpGet(`http://127.0.0.1:${port}${url}`, { headers: { Host: `127.0.0.1:${port}`, ...passedOn } }).then(
          ({ status, text }) => response.writeHead(status).end(text),
          (error: Error) => response.destroy(error),
        );
      }).listen(0, '127.0.0.1');
      await once(proxy, 'listening');
      try {
        const headers: Record<string, string> = {
          Host: 'example.org',
          ...(authorization === undefined ? {} : { Authorization: authorization }),
        };
        return await httpGet(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}/diagnostics`, { headers });
      } finally {
        await new Promise((resolve) => proxy.close(resolve));
      }
    }

    it.each([
      [true, 200],
      [false, 401],
    ])('with trustLoopback %s a stranger gets %d', async (trustLoopback, status) => {
      const served = await DiagnosticsApp.start({ token: TOKEN, trustLoopback });
      try {
        expect((await throughProxy(served.port)).status).toBe(status);
        expect((await httpGet(served.url('/diagnostics'))).status).toBe(status);
        expect((await throughProxy(served.port, `Bearer ${TOKEN}`)).status).toBe(200);
      } finally {
        await served.app.close();
      }
    });

    it('nobody could be let in without a token: it does not start', async () => {
      await expect(DiagnosticsApp.start({ trustLoopback: false })).rejects.toThrow(
        'expected a token where it is false',
      );
    });
  });

  it('knows loopback addresses from others', () => {
    for (const address of ['127.0.0.1', '127.255.0.3', '::1', '::ffff:127.0.0.1', '::FFFF:127.0.0.1'])
      expect(isLoopbackAddress(address)).toBe(true);
    for (const address of [undefined, '', '128.0.0.1', '10.127.0.1', '::2', '::ffff:10.0.0.1', 'fe80::1', '127.0.0.1.'])
      expect(isLoopbackAddress(address)).toBe(false);
  });

  it('knows loopback hosts from others', () => {
    for (const host of ['localhost', 'localhost:80', '127.0.0.1:6060', '[::1]:6060'])
      expect(isLoopbackHost(host)).toBe(true);
    for (const host of [
      '::1',
      'localhost:123456',
      'localhost:80:80',
      'localhost.',
      'a@localhost',
      '[::ffff:127.0.0.1]',
    ])
      expect(isLoopbackHost(host)).toBe(false);
  });
});
