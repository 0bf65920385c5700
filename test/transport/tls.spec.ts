import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { Settings } from '../../src/config/settings.js';
import { type CertificateFiles, Certificates } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import type { TcpPeer } from '../support/tcp-peer.js';
import { CommandApp } from './command-app.js';

let certificates: Certificates;
let commandApp: CommandApp;
beforeAll(async () => {
  certificates = await Certificates.create();
});
afterEach(() => commandApp.close());
afterAll(() => certificates.remove());

const start = async (overrides: Partial<Settings> = {}) =>
  (commandApp = await CommandApp.start({
    tcpTlsCertFile: certificates.certFile,
    tcpTlsKeyFile: certificates.keyFile,
    fileCheckEveryMs: 50,
    ...overrides,
  }));

const trusting = (own?: CertificateFiles): ConnectionOptions => ({
  ca: readFileSync(certificates.caFile),
  ...(own && { cert: readFileSync(own.certFile), key: readFileSync(own.keyFile) }),
});

/** Whether a peer with these options is served. TLS 1.3 tells a client only after its handshake that it was refused. */
async function isServed(options: ConnectionOptions): Promise<boolean> {
  let peer: TcpPeer | undefined;
  try {
    peer = await commandApp.peer(options);
    return (await peer.code('system.health')) === 'OK';
  } catch {
    return false;
  }
}

describe('TLS', () => {
  it('serves commands to who trusts its CA, and not in the clear', async () => {
    await start();
    const peer = await commandApp.peer(trusting());
    expect(await peer.code('system.health')).toBe('OK');
    expect((peer.socket as TLSSocket).getProtocol()).toBe('TLSv1.3');
    await expect(commandApp.peer({ ca: [] })).rejects.toThrow(/certificate/);
    expect(await isServed({ ...trusting(), maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })).toBe(false);
    const plain = await commandApp.peer();
    plain.write('48#{"id":"1","pattern":"system.health","data":{}}');
    await plain.closed();
    expect(plain.replies).toEqual([]);
    expect(await peer.code('system.health')).toBe('OK');
  });

  it('cuts handshakes that trickle or stop, and keeps who is through', async () => {
    await start({ frameTimeoutMs: 2_000, maxConnections: 20 });
    const peer = await commandApp.peer(trusting());
    // The beginning of a ClientHello, and then a byte now and then.
    const hello = Buffer.from('1603010200010001fc0303', 'hex');
    const loris: Socket[] = Array.from({ length: 15 }, () => connect(commandApp.server.address().port, '127.0.0.1'));
    const closed = new Set<Socket>();
    for (const socket of loris) {
      socket.on('error', () => undefined);
      socket.on('close', () => closed.add(socket));
      socket.write(hello);
    }
    await eventually(
      () => {
        for (const socket of loris.slice(0, 8)) if (!closed.has(socket)) socket.write(Buffer.from([0]));
        return closed.size === loris.length;
      },
      { intervalMs: 50 },
    );
    expect(await peer.code('system.health')).toBe('OK');
    // Their places are free again.
    for (let i = 0; i < 15; i++) expect(await isServed(trusting())).toBe(true);
  });

  it('does not wait at shutdown for a handshake that is not done', async () => {
    await start({ frameTimeoutMs: 600_000, drainTimeoutMs: 0 });
    const silent = connect(commandApp.server.address().port, '127.0.0.1');
    silent.on('error', () => undefined);
    const closed = new Promise((resolve) => silent.once('close', resolve));
    await new Promise((resolve) => silent.once('connect', resolve));
    // Accepted for sure once a later one is served.
    expect(await isServed(trusting())).toBe(true);
    await commandApp.close();
    await closed;
  });

  it('shows a new certificate once its files changed, keeps open connections, and stays as it was while they do not fit', async () => {
    const shown = await certificates.issue('shown');
    const next = await certificates.issue('next');
    await start({ tcpTlsCertFile: shown.certFile, tcpTlsKeyFile: shown.keyFile });
    const nameShown = async () => {
      const one = await commandApp.peer(trusting());
      const { subject } = (one.socket as TLSSocket).getPeerCertificate();
      await one.close();
      return subject.CN;
    };
    const before = await commandApp.peer(trusting());
    expect(await nameShown()).toBe('shown');
    const { certFile, keyFile } = shown;
    // The key alone fits nothing that is there.
    await certificates.replace({ certFile: `${certFile}.unused`, keyFile }, next);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await nameShown()).toBe('shown');
    await certificates.replace(shown, next);
    await eventually(async () => expect(await nameShown()).toBe('next'));
    expect(await before.code('system.health')).toBe('OK');
  });

  it.each([
    ['a file that is not there', { tcpTlsCertFile: '/nowhere/cert.pem' }, /TCP_TLS_CERT_FILE="\/nowhere\/cert.pem"/],
    ['a file that is no PEM', { tcpTlsCertFile: __filename }, /expected PEM files that belong together/],
  ])('refuses to start with %s', async (_what, overrides, message) => {
    await expect(start(overrides)).rejects.toThrow(message);
    commandApp = await CommandApp.start();
  });
});

describe('mutual TLS', () => {
  it('serves who has a certificate of the CA, and nobody else', async () => {
    const stranger = await Certificates.create();
    try {
      await start({ tcpTlsClientCaFile: certificates.caFile });
      expect(await isServed(trusting(await certificates.issue('client')))).toBe(true);
      expect(await isServed(trusting())).toBe(false);
      expect(await isServed(trusting(stranger))).toBe(false);
    } finally {
      await stranger.remove();
    }
  });

  it('lets an agent speak for the ids that its certificate names only', async () => {
    await start({ tcpTlsClientCaFile: certificates.caFile, agentIdentity: 'certificate' });
    const own = await certificates.issue('agent-1', 'DNS:agent-1b');
    const peer = await commandApp.peer(trusting(own));
    const heartbeat = (agentId: string) => peer.code('agent.heartbeat', { agentId, instanceEpoch: 1, inFlight: 0 });
    expect(await heartbeat('agent-1')).toBe('OK');
    expect(await heartbeat('agent-1b')).toBe('OK');
    for (const foreign of ['agent-2', 'agent', 'agent-1c', 'ca']) expect(await heartbeat(foreign)).toBe('FORBIDDEN');
    // What people do to agents is no agent's word.
    expect(await peer.code('agent.list', {})).toBe('OK');
  });
});
