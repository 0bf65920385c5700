import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { CommandApp } from './command-app.js';

/** Starts an app that must not start, and tells the code of the error. */
async function startCode(overrides: { tcpHost?: string; tcpPort?: number }): Promise<string | undefined> {
  const commandApp = await CommandApp.create(overrides);
  try {
    await commandApp.app.init();
    await commandApp.app.startAllMicroservices();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    await commandApp.close();
  }
}

describe('listen', () => {
  it('succeeds on a free port and tells the address', async () => {
    const commandApp = await CommandApp.start();
    expect(commandApp.server.address()).toEqual({ host: '127.0.0.1', port: expect.any(Number) });
    const peer = await commandApp.peer();
    expect(await peer.code('system.health')).toBe('OK');
    await commandApp.close();
    expect(commandApp.server.address().port).toBeGreaterThan(0);
  });

  it('rejects the start with EADDRINUSE', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    expect(await startCode({ tcpPort: (taken.address() as AddressInfo).port })).toBe('EADDRINUSE');
    await new Promise((resolve) => taken.close(resolve));
  });

  it('rejects the start with EADDRNOTAVAIL', async () => {
    // TEST-NET-3: never an address of this machine.
    expect(await startCode({ tcpHost: '203.0.113.1' })).toBe('EADDRNOTAVAIL');
  });

  it('rejects the start with ENOTFOUND', async () => {
    // Without any resolver the system says EAI_AGAIN instead.
    expect(await startCode({ tcpHost: 'no-such-host.invalid' })).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/);
  });

  it('rejects the start with EACCES', async () => {
    const isRoot = process.geteuid?.() === 0;
    // Many a container lets everybody bind every port; then there is nothing to refuse.
    const isFree = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8')) <= 1;
    // Root may bind every port, so it becomes nobody for a moment.
    if (isRoot) process.seteuid!(65_534);
    try {
      expect(await startCode({ tcpPort: 1 })).toBe(isFree ? undefined : 'EACCES');
    } finally {
      if (isRoot) process.seteuid!(0);
    }
  });

  it('rejects the start with a port that is none', async () => {
    expect(await startCode({ tcpPort: 70_000 })).toBe('ERR_SOCKET_BAD_PORT');
  });

  it('calls back exactly once', async () => {
    const commandApp = await CommandApp.create({ tcpHost: '203.0.113.1' });
    const answers: unknown[] = [];
    await new Promise<void>((resolve) => {
      commandApp.server.listen((error) => {
        answers.push(error);
        resolve();
      });
    });
    // A later error of the server is no second answer.
    commandApp.server.unwrap<{ emit(event: string, error: Error): void }>().emit('error', new Error('later'));
    expect(answers).toEqual([expect.objectContaining({ code: 'EADDRNOTAVAIL' })]);
    expect(() => commandApp.server.address()).toThrow('not listening');
    await commandApp.close();
  });
});
