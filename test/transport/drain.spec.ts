import { eventually } from '../support/eventually.js';
import { requestFrame, TcpPeer } from '../support/tcp-peer.js';
import { CommandApp } from './command-app.js';

describe('drain', () => {
  it('answers what is in flight, refuses new requests and new connections, then ends connections in good order', async () => {
    const commandApp = await CommandApp.start({ drainTimeoutMs: 20_000 });
    const peer = await commandApp.peer();
    const idle = await commandApp.peer();
    peer.write(requestFrame('held', 'agent.drain', { agentId: 'a' }));
    await eventually(() => commandApp.witness.contexts.length === 1);

    const closing = commandApp.app.close();
    await eventually(async () => {
      const { err } = await peer.ask('system.health');
      expect(err).toMatchObject({ code: 'SHUTTING_DOWN', retryable: true });
    });
    await expect(TcpPeer.connect(commandApp.server.address())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect([peer.isClosed, idle.isClosed]).toEqual([false, false]);
    expect(commandApp.server.stats()).toMatchObject({ tcpCount: 2, inFlightCount: 1 });

    commandApp.witness.release();
    await closing;
    expect((await peer.replyTo('held')).response).toEqual({ agentId: 'a' });
    for (const each of [peer, idle]) {
      await each.closed();
      expect(each.error).toBeUndefined();
      expect(each.isEnded).toBe(true);
    }
    expect(commandApp.server.stats()).toMatchObject({ tcpCount: 0, inFlightCount: 0, closedCounts: { drained: 2 } });
  });

  it('answers UNAVAILABLE when the deadline of the drain comes first, and fires the signal', async () => {
    const commandApp = await CommandApp.start({ drainTimeoutMs: 300 });
    const peer = await commandApp.peer();
    peer.write(requestFrame('stuck', 'agent.drain', { agentId: 'a', deadlineMs: 60_000 }));
    await eventually(() => commandApp.witness.contexts.length === 1);
    const { signal } = commandApp.witness.contexts[0];
    await commandApp.app.close();
    expect((await peer.replyTo('stuck')).err).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(signal.aborted).toBe(true);
    await peer.closed();
    expect(commandApp.server.stats()).toMatchObject({ tcpCount: 0, inFlightCount: 0, overdueHandlersCount: 1 });
    commandApp.witness.release();
  });

  it('does not wait for a peer that neither reads nor closes', async () => {
    const commandApp = await CommandApp.start({ maxSendBufferBytes: 16_000_000 });
    const deaf = await commandApp.peer();
    deaf.socket.pause();
    deaf.write(Array.from({ length: 200 }, (_, id) => requestFrame(id, 'result.list', { limit: 200 })).join(''));
    await eventually(() => commandApp.server.stats().unsentBytes > 0);
    await commandApp.app.close();
    expect(commandApp.server.stats().tcpCount).toBe(0);
    await deaf.close();
  });

  it('may be closed without ever having listened, and more than once', async () => {
    const never = await CommandApp.create();
    await never.app.init();
    await never.app.close();

    const commandApp = await CommandApp.start();
    const peer = await commandApp.peer();
    await Promise.all([
      commandApp.server.close(),
      commandApp.server.close(),
      commandApp.server.beforeApplicationShutdown(),
    ]);
    commandApp.server.onModuleDestroy();
    await commandApp.app.close();
    await commandApp.server.close();
    await peer.closed();
  });

  it('leaves nothing of the transport behind', async () => {
    const resources = () => process.getActiveResourcesInfo().filter((name) => /TCP|Timeout/.test(name)).length;
    const before = resources();
    const commandApp = await CommandApp.start();
    const peer = await commandApp.peer();
    expect(await peer.code('system.health')).toBe('OK');
    await commandApp.app.close();
    await peer.closed();
    await eventually(() => expect(resources()).toBeLessThanOrEqual(before));
  });
});
