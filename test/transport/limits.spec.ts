import type { Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Settings } from '../../src/config/settings.js';
import { eventually } from '../support/eventually.js';
import { requestFrame, type TcpPeer } from '../support/tcp-peer.js';
import { CommandApp } from './command-app.js';

describe('limits of a connection', () => {
  let commandApp: CommandApp;
  const start = async (overrides: Partial<Settings>) => (commandApp = await CommandApp.start(overrides));
  afterEach(() => commandApp.close());

  it('sends small packets at once and probes silent peers: TCP_NODELAY and keep-alive on accepted sockets', async () => {
    await start({});
    const accepted: Socket[] = [];
    commandApp.server.unwrap<Server>().on('connection', (socket) => accepted.push(socket));
    const peer = await commandApp.peer();
    expect(await peer.code('system.health')).toBe('OK');
    expect(accepted).toHaveLength(1);
    // Node keeps what it told the kernel under these symbols.
    expect(flagOf(accepted[0], 'kSetNoDelay')).toBe(true);
    expect(flagOf(accepted[0], 'kSetKeepAlive')).toBe(true);
  });

  describe('count', () => {
    it('closes the connection beyond the cap at once, keeps the others, and takes one when one has left', async () => {
      await start({ maxConnections: 2 });
      const [first, second] = [await commandApp.peer(), await commandApp.peer()];
      expect(await first.code('system.health')).toBe('OK');
      expect(await second.code('system.health')).toBe('OK');
      for (let i = 0; i < 3; i++) await (await commandApp.peer()).closed();
      expect(commandApp.server.stats()).toMatchObject({
        tcpCount: 2,
        tcpMaxCount: 2,
        acceptedCount: 2,
        refusedCount: 3,
      });
      expect(await first.code('system.health')).toBe('OK');
      await second.close();
      await eventually(() => commandApp.server.stats().tcpCount === 1);
      const third = await commandApp.peer();
      expect(await third.code('system.health')).toBe('OK');
    });
  });

  describe('idle time', () => {
    it('closes a connection without request; keeps one with requests, and one whose request is still under way', async () => {
      await start({ idleTimeoutMs: 1_500 });
      const idle = await commandApp.peer();
      const busy = await commandApp.peer();
      const waiting = await commandApp.peer();
      waiting.write(requestFrame('long', 'agent.drain', { agentId: 'a', deadlineMs: 60_000 }));
      await eventually(async () => {
        expect(await busy.code('system.health')).toBe('OK');
        return idle.isClosed;
      });
      expect(idle.error).toBeUndefined();
      // Twice the idle time and more: the command under way has outlived it.
      for (let i = 0; i < 30; i++) {
        expect(await busy.code('system.health')).toBe('OK');
        await sleep(100);
      }
      expect(waiting.isClosed).toBe(false);
      commandApp.witness.release();
      expect((await waiting.replyTo('long')).response).toEqual({ agentId: 'a' });
      await waiting.closed();
      expect(commandApp.server.stats().closedCounts['idle-timeout']).toBeGreaterThanOrEqual(2);
    });
  });

  describe('time of a frame', () => {
    it('counts from the first byte: a trickle does not hold the connection', async () => {
      await start({ frameTimeoutMs: 500 });
      const trickler = await commandApp.peer();
      const bytes = Buffer.from(
        requestFrame('never', 'job.submit', { job: { name: 'x', payload: 'y'.repeat(10_000) } }),
      );
      let sent = 0;
      await eventually(
        () => {
          if (!trickler.isClosed) trickler.write(bytes.subarray(sent, ++sent));
          return trickler.isClosed;
        },
        { intervalMs: 20 },
      );
      expect(sent).toBeLessThan(bytes.length);
      expect(commandApp.server.stats().closedCounts['frame-timeout']).toBe(1);
    });

    it('ends one that stops in the length, and keeps one that is slow but in time, and one between frames', async () => {
      await start({ frameTimeoutMs: 1_500 });
      const stopped = await commandApp.peer();
      const between = await commandApp.peer();
      expect(await between.code('system.health')).toBe('OK');
      stopped.write('12');
      const slow = await commandApp.peer();
      // Every frame is cut in two, so one is always incomplete, but each of them is complete in time.
      for (let i = 0; i < 50; i++) {
        const bytes = requestFrame(i, 'system.health', {});
        slow.write(bytes.slice(0, 20));
        await sleep(40);
        slow.write(bytes.slice(20));
      }
      await stopped.closed();
      expect((await slow.replyTo(49)).err).toBeUndefined();
      expect(await between.code('system.health')).toBe('OK');
      expect(commandApp.server.stats().closedCounts['frame-timeout']).toBe(1);
    });
  });

  describe('requests a second', () => {
    it('are served one after the other beyond the limit, and none is lost; others do not wait for them', async () => {
      await start({ maxRequestsPerSecond: 100 });
      const eager = await commandApp.peer();
      const startedAt = performance.now();
      eager.write(Array.from({ length: 120 }, (_, id) => requestFrame(id, 'system.health', {})).join(''));
      const other = await commandApp.peer();
      for (let i = 0; i < 10; i++) expect(await other.code('system.health')).toBe('OK');
      await eventually(() => eager.replies.length === 120);
      expect(eager.replies.map(({ id, err }) => err?.code ?? id)).toEqual(Array.from({ length: 120 }, (_, id) => id));
      // 20 at once, and 100 a second after that: the clock is our own limit, not the machine's speed.
      expect(performance.now() - startedAt).toBeGreaterThan(900);
    });

    it('have no limit at 0', async () => {
      await start({ maxRequestsPerSecond: 0 });
      const eager = await commandApp.peer();
      eager.write(Array.from({ length: 20_000 }, (_, id) => requestFrame(id, 'system.health', {})).join(''));
      await eventually(() => eager.replies.length === 20_000, { timeoutMs: 50_000 });
    });
  });

  describe('a peer that does not read', () => {
    /** Asks for `count` replies of `kib` KiB each and reads none of them. */
    async function deaf(
      count: number,
      kib: number,
      [pattern, data]: readonly [string, (kib: number) => object] = pages,
    ): Promise<TcpPeer> {
      const peer = await commandApp.peer();
      peer.socket.pause();
      peer.write(Array.from({ length: count }, (_, id) => requestFrame(id, pattern, data(kib))).join(''));
      return peer;
    }
    const pages = ['result.list', (kib: number) => ({ limit: kib })] as const;
    /** Replies for which no turn is asked. */
    const results = ['schedule.trigger', (kib: number) => ({ id: String(kib) })] as const;

    it('is not read from either, and gets everything when it reads again', async () => {
      await start({ maxSendBufferBytes: 128_000_000 });
      const peer = await deaf(4_000, 20);
      await eventually(() => commandApp.server.stats().unsentBytes > 0);
      const other = await commandApp.peer();
      // Back pressure: once the kernel takes no more, none of its further requests is taken.
      await eventually(async () => {
        const { commandsCount } = commandApp.server.stats();
        expect(await other.code('system.health')).toBe('OK');
        await sleep(200);
        expect(commandApp.server.stats().commandsCount).toBe(commandsCount + 1);
      });
      expect(commandApp.server.stats().commandsCount).toBeLessThan(4_000);
      peer.socket.resume();
      await eventually(() => peer.replies.length === 4_000, { timeoutMs: 50_000 });
      expect(peer.replies.map(({ id }) => id)).toEqual(Array.from({ length: 4_000 }, (_, id) => id));
      expect(commandApp.server.stats()).toMatchObject({ unsentBytes: 0, unreadLength: 0 });
    });

    it('is cut when more than the limit waits and nothing is taken for the frame timeout; others are not', async () => {
      await start({ maxConnections: 2_000, maxSendBufferBytes: 65_536, frameTimeoutMs: 600 });
      const peer = await deaf(550, 50, results);
      await eventually(() => commandApp.server.stats().unsentBytes > 65_536);
      const other = await commandApp.peer();
      await eventually(async () => {
        expect(await other.code('result.list', { limit: 60 })).toBe('OK');
        return commandApp.server.stats().closedCounts['send-buffer'] === 1;
      });
      // It is counted as it is cut, and gone when its socket has closed, a turn of the loop later.
      await eventually(() => expect(commandApp.server.stats()).toMatchObject({ unsentBytes: 0, tcpCount: 1 }));
      peer.socket.resume();
      await peer.closed();
      expect(peer.replies.length).toBeLessThan(550);
    });

    it('has no page made for it, and loses none when it reads again', async () => {
      await start({
        maxConnections: 20,
        maxSendBufferBytes: 65_536,
        frameTimeoutMs: 600_000,
        commandTimeoutMs: 60_000,
      });
      const peer = await deaf(550, 50);
      await eventually(() => commandApp.server.stats().unsentBytes > 0);
      await sleep(1_500);
      // What was made before it was known to be deaf.
      expect(commandApp.server.stats().unsentBytes).toBeLessThan(2 * 8 * 65_536);
      peer.socket.resume();
      await eventually(() => peer.replies.length + Number(peer.isClosed) >= 550, { timeoutMs: 20_000 });
      expect(commandApp.server.stats().closedCounts['send-buffer']).toBe(0);
    });

    it('is kept when little waits, however long it does not read', async () => {
      await start({ maxSendBufferBytes: 16_000_000, frameTimeoutMs: 200 });
      const peer = await deaf(100, 100);
      await eventually(() => commandApp.server.stats().unsentBytes > 0);
      await sleep(800);
      peer.socket.resume();
      await eventually(() => peer.replies.length === 100);
    });

    it('is cut at once when no room is left for the replies of all connections; who reads is served', async () => {
      await start({ maxConnections: 2, maxSendBufferBytes: 65_536, frameTimeoutMs: 600_000 });
      await deaf(550, 50, results);
      await eventually(() => commandApp.server.stats().closedCounts['send-buffer'] === 1);
      const other = await commandApp.peer();
      for (let i = 0; i < 20; i++) expect(await other.code('result.list', { limit: 60 })).toBe('OK');
    });

    it('cannot ask for a reply that is longer than the limit: it gets an error instead', async () => {
      await start({ maxSendBufferBytes: 65_536 });
      const peer = await commandApp.peer();
      const { err } = await peer.ask('result.list', { limit: 64 });
      expect(err).toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('MAX_SEND_BUFFER_BYTES'),
      });
      expect(await peer.code('result.list', { limit: 63 })).toBe('OK');
    });
  });
});

function flagOf(socket: Socket, name: string): unknown {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
  if (symbol === undefined) throw new Error(`this version of Node has no ${name}`);
  return (socket as unknown as Record<symbol, unknown>)[symbol];
}
