import { createServer } from 'node:net';
import { Injectable } from '@nestjs/common';
import { JobHandler } from '../../src/sdk/agent.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { AgentApp } from './support/agent-app.js';
import { Crawler } from './support/crawler.js';
import { frameOf } from './support/frames.js';
import { executeRequest } from './support/raw-peer.js';

describe('the TCP side of an agent', () => {
  let app: AgentApp;
  afterEach(() => app?.stop());

  const echo = { job: { name: 'echo', payload: 1 } };

  it('asks for the token when one is configured, on every request', async () => {
    app = await AgentApp.start({ commander: { port: 1, token: 'secret' } }, [Crawler]);
    const peer = await app.peer();
    for (const extra of [
      {},
      { token: 'secre' },
      { token: 'secret ' },
      { token: 7 },
      { token: null },
      { token: ['secret'] },
    ]) {
      expect((await peer.execute(echo, extra)).err).toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    expect((await peer.call('agent.ping', {})).err).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect((await peer.execute(echo, { token: 'secret' })).response).toEqual({ result: { payload: 1 } });
    expect((await peer.execute(echo)).err).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('takes requests with and without a token when none is configured', async () => {
    app = await AgentApp.start({}, [Crawler]);
    const peer = await app.peer();
    expect((await peer.execute(echo)).response).toBeDefined();
    expect((await peer.execute(echo, { token: 'whatever' })).response).toBeDefined();
  });

  it.each([
    ['a frame without a length', 'abc#{}'],
    ['a frame that is no JSON', '3#abc'],
    ['a packet that is no object', '4#true'],
    ['a packet that is an array', '2#[]'],
    ['an event, which has no id', frameOf({ pattern: 'agent.ping', data: {} })],
    ['an id that is no text', frameOf({ id: { a: 1 }, pattern: 'agent.ping', data: {} })],
    ['a frame longer than allowed', frameOf({ id: 'x', pattern: 'agent.ping', data: 'x'.repeat(20_000) })],
    ['a length beyond the limit with the frame still to come', `99999999#${'x'.repeat(20_000)}`],
  ])('ends a connection that sends %s, and no other', async (_what, bytes) => {
    app = await AgentApp.start({ maxFrameChars: 10_000 }, [Crawler]);
    const good = await app.peer();
    const bad = await app.peer();
    expect((await bad.call('agent.ping', {})).response).toBeDefined();
    bad.socket.write(bytes);
    await eventually(() => bad.isClosed);
    expect((await good.call('agent.ping', {})).response).toBeDefined();
    expect((await (await app.peer()).call('agent.ping', {})).response).toBeDefined();
  });

  it.each([
    ['an unknown pattern', 'agent.destroy'],
    ['a pattern that is an object', { cmd: 'agent.ping' }],
    ['no pattern', undefined],
    ['a name of every object', 'constructor'],
  ])('answers NOT_FOUND to %s', async (_what, pattern) => {
    app = await AgentApp.start({}, [Crawler]);
    const peer = await app.peer();
    expect((await peer.call(pattern as never, {})).err).toMatchObject({ code: 'NOT_FOUND' });
    expect((await peer.call('agent.ping', {})).response).toBeDefined();
  });

  it('reads requests that arrive in pieces and several at once', async () => {
    app = await AgentApp.start({ capacity: 100 }, [Crawler]);
    const peer = await app.peer();
    const replies = Array.from({ length: 30 }, (_, i) => peer.execute({ job: { name: 'echo', payload: `ü🔥${i}` } }));
    const whole = frameOf({ id: 'pieces', pattern: 'agent.execute', data: executeRequest(echo) });
    const answer = new Promise((resolve) =>
      peer.socket.on('data', (chunk) => /"pieces"/.test(String(chunk)) && resolve(chunk)),
    );
    for (const piece of whole.match(/.{1,7}/gs)!) {
      peer.socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await Promise.all(replies)).map(({ response }) => response.result.payload)).toEqual(
      Array.from({ length: 30 }, (_, i) => `ü🔥${i}`),
    );
    expect(String(await answer)).toContain('"payload":1');
  });

  it('listens on a free port of the loopback by default, and where it is told to', async () => {
    const port = await freePort();
    app = await AgentApp.start({}, [Crawler]);
    expect(app.agent.address).toEqual({ host: '127.0.0.1', port: expect.any(Number) });
    expect(app.port).toBeGreaterThan(0);
    await app.stop();
    app = await AgentApp.start({ listenPort: port }, [Crawler]);
    expect(app.port).toBe(port);
  });

  it.each([
    ['a port that is taken', { taken: true }, 'EADDRINUSE'],
    ['an address that is not this machine’s', { listenHost: '203.0.113.1', agentToken: 'secret' }, 'EADDRNOTAVAIL'],
    ['a host name that nobody has', { listenHost: 'nobody.invalid', agentToken: 'secret' }, /ENOTFOUND|EAI_AGAIN/],
  ])('fails the start on %s', async (_what, { taken, ...options }: { taken?: boolean; listenHost?: string }, code) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const listenPort = taken ? (other.address() as { port: number }).port : 0;
    const start = AgentApp.start({ ...options, listenPort }, [Crawler]);
    await expect(start).rejects.toMatchObject({ code: typeof code === 'string' ? code : expect.stringMatching(code) });
    other.close();
  });
});

it('sends the results of many runs that end together, however much they are together', async () => {
  const text = 'x'.repeat(1_000_000);
  const open: (() => void)[] = [];
  @Injectable()
  class Together {
    @JobHandler('together')
    async together(): Promise<string> {
      await new Promise<void>((resolve) => open.push(resolve));
      return text;
    }
  }
  const app = await AgentApp.start({ capacity: 30, maxResultBytes: 2_000_000 }, [Together]);
  try {
    const peer = await app.peer();
    const replies = Array.from({ length: 30 }, () => peer.execute({ job: { name: 'together' } }));
    await eventually(() => open.length === 30);
    for (const pass of open) pass();
    expect((await Promise.all(replies)).map(({ response }) => response.result.length)).toEqual(
      replies.map(() => text.length),
    );
    // It was not read from meanwhile, and is again.
    expect((await peer.call('agent.ping', {})).response).toBeDefined();
  } finally {
    await app.stop();
  }
});
