import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { frame, requestFrame, type TcpPeer } from '../support/tcp-peer.js';
import { CommandApp } from './command-app.js';

describe('frames', () => {
  let commandApp: CommandApp;
  /** Connected before each misdeed of another peer, and asked after it. */
  let bystander: TcpPeer;

  beforeAll(async () => {
    commandApp = await CommandApp.start({ maxFrameBytes: 16_384, frameTimeoutMs: 5_000 });
    bystander = await commandApp.peer();
  });
  afterAll(() => commandApp.close());
  afterEach(async () => expect(await bystander.code('system.health')).toBe('OK'));

  const closed = (reason: 'malformed-frame' | 'oversized-frame') => commandApp.server.stats().closedCounts[reason];

  it.each([
    ['text that is no frame', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['a frame without length', '#{}'],
    ['a negative length', '-5#{"id":1}'],
    ['a length that is not a number', 'abc#{}'],
    ['a length with an exponent', '1e3#{}'],
    ['a body that is not JSON', frame('{"id":1,')],
    ['an empty body', '0#'],
    ['a length that is too short', '5#{"id":"a","pattern":"system.health"}'],
    ['JSON null', frame('null')],
    ['a JSON number', frame('7')],
    ['a JSON array', frame('[{"id":"a","pattern":"system.health"}]')],
    ['an id that is an object', frame('{"id":{},"pattern":"system.health","data":{}}')],
    ['an id that is null', frame('{"id":null,"pattern":"system.health","data":{}}')],
    ['an endless id', frame(JSON.stringify({ id: 'x'.repeat(129), pattern: 'system.health', data: {} }))],
    ['an id that is no finite number', frame('{"id":1e999,"pattern":"system.health","data":{}}')],
  ])('%s ends the connection, and only that', async (_what, bytes) => {
    const before = closed('malformed-frame');
    const peer = await commandApp.peer();
    expect(await peer.code('system.health')).toBe('OK');
    peer.write(bytes);
    await peer.closed();
    expect(closed('malformed-frame')).toBe(before + 1);
  });

  it('serves nothing that comes behind a malformed frame', async () => {
    const before = commandApp.server.stats().commandsCount;
    const peer = await commandApp.peer();
    peer.write(`x#${requestFrame('late', 'system.health', {})}`);
    await peer.closed();
    expect(peer.replies).toEqual([]);
    expect(commandApp.server.stats().commandsCount).toBe(before);
  });

  it('refuses a declared length beyond the limit before the body is sent', async () => {
    const before = closed('oversized-frame');
    const peer = await commandApp.peer();
    peer.write('16385#');
    await peer.closed();
    expect(closed('oversized-frame')).toBe(before + 1);
  });

  it('refuses a length of many digits before it ends', async () => {
    const before = closed('oversized-frame');
    const peer = await commandApp.peer();
    peer.write('9'.repeat(400));
    await peer.closed();
    expect(closed('oversized-frame')).toBe(before + 1);
  });

  it('refuses a frame whose bytes exceed the limit though its declared length does not', async () => {
    const before = closed('oversized-frame');
    const peer = await commandApp.peer();
    peer.write(requestFrame('wide', 'job.submit', { job: { name: 'x', payload: '€'.repeat(8_000) } }));
    await peer.closed();
    expect(closed('oversized-frame')).toBe(before + 1);
  });

  it('refuses a payload of 1 MiB and reads none of it', async () => {
    const before = closed('oversized-frame');
    const peer = await commandApp.peer();
    peer.write(requestFrame('big', 'job.submit', { job: { name: 'x', payload: 'p'.repeat(1_048_576) } }));
    await peer.closed();
    expect(closed('oversized-frame')).toBe(before + 1);
    expect(peer.replies).toEqual([]);
    expect(commandApp.server.stats().unreadLength).toBe(0);
  });

  it('takes a frame of exactly the limit', async () => {
    const peer = await commandApp.peer();
    const empty = JSON.stringify({ id: 'max', pattern: 'job.submit', data: { job: { name: 'x', payload: '' } } });
    const payload = 'p'.repeat(16_384 - empty.length);
    peer.write(requestFrame('max', 'job.submit', { job: { name: 'x', payload } }));
    expect((await peer.replyTo('max')).response).toEqual({ payload });
  });

  it('takes a request byte by byte', async () => {
    const peer = await commandApp.peer();
    for (const byte of Buffer.from(requestFrame('slow', 'job.submit', { job: { name: 'x', payload: '😀é' } }))) {
      peer.write(Buffer.from([byte]));
      await sleep(1);
    }
    expect((await peer.replyTo('slow')).response).toEqual({ payload: '😀é' });
  });

  it('takes astral characters cut in the middle, and many frames around them', async () => {
    const peer = await commandApp.peer();
    const bytes = Buffer.from(
      ['a', 'b', 'c']
        .map((id) => requestFrame(id, 'job.submit', { job: { name: 'x', payload: `${id} 𝒳😀` } }))
        .join(''),
    );
    const cut = bytes.indexOf(Buffer.from('😀')) + 2;
    peer.write(bytes.subarray(0, cut));
    await sleep(20);
    peer.write(bytes.subarray(cut));
    for (const id of ['a', 'b', 'c']) expect((await peer.replyTo(id)).response).toEqual({ payload: `${id} 𝒳😀` });
  });

  it('forgets half a frame of a peer that closes', async () => {
    const { tcpCount } = commandApp.server.stats();
    const peer = await commandApp.peer();
    peer.write('500#{"id":"half"');
    await eventually(() => commandApp.server.stats().unreadLength > 0);
    peer.socket.end();
    await peer.closed();
    await eventually(() => expect(commandApp.server.stats()).toMatchObject({ unreadLength: 0, tcpCount }));
  });

  it('answers 100,000 pipelined requests, each once', async () => {
    const peer = await commandApp.peer();
    const count = 100_000;
    peer.write(Array.from({ length: count }, (_, index) => requestFrame(index, 'system.health', {})).join(''));
    await eventually(() => peer.replies.length >= count, { timeoutMs: 50_000 });
    expect(peer.replies).toHaveLength(count);
    expect(new Set(peer.replies.map(({ id }) => id)).size).toBe(count);
    expect(peer.replies.every(({ err }) => err === undefined)).toBe(true);
    expect(commandApp.server.stats()).toMatchObject({ inFlightCount: 0, unreadLength: 0, unsentBytes: 0 });
  });

  it('drops events, counts them, and goes on with the connection', async () => {
    const before = commandApp.server.stats();
    const peer = await commandApp.peer();
    for (let i = 0; i < 10; i++) peer.write(frame('{"pattern":"system.health","data":{}}'));
    expect(await peer.code('system.health')).toBe('OK');
    expect(peer.replies).toHaveLength(1);
    const after = commandApp.server.stats();
    expect(after.eventsDroppedCount - before.eventsDroppedCount).toBe(10);
    expect(after.commandsCount - before.commandsCount).toBe(1);
    expect(after.inFlightCount).toBe(0);
  });

  it('answers two requests that carry the same id, and a number as id', async () => {
    const peer = await commandApp.peer();
    peer.write(
      requestFrame('twin', 'system.health', {}) +
        requestFrame('twin', 'agent.list', {}) +
        requestFrame(7, 'system.health', {}),
    );
    await eventually(() => peer.replies.length === 3);
    expect(peer.replies.map(({ id }) => id).sort()).toEqual([7, 'twin', 'twin'].sort());
  });
});
