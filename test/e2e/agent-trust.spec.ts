import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { Injectable } from '@nestjs/common';
import { type CommanderAgentOptions, JobHandler } from '../../src/sdk/agent.js';
import { type CertificateFiles, Certificates } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { TcpAgent } from '../support/fake-agent.js';
import { Service } from '../support/service.js';
import { requestFrame } from '../support/tcp-peer.js';
import { AgentApp } from '../sdk/support/agent-app.js';

const KEY = 'identity-key-of-agent-1';
const OTHER_KEY = 'identity-key-of-somebody';

@Injectable()
class Echo {
  @JobHandler('echo')
  echo(payload: unknown): unknown {
    return payload;
  }
}

let service: Service;
afterEach(() => service.stop());

describe('an identityKey', () => {
  it('keeps others who may talk to commander from speaking for the agent', async () => {
    service = await Service.start();
    const { agents } = service.client();
    const agent = { agentId: 'agent-1', instanceEpoch: 5 };
    const place = { host: '127.0.0.1', port: 1, capabilities: [] };
    const forbidden = expect.objectContaining({ code: 'FORBIDDEN' });
    await agents.register({ ...agent, ...place, identityKey: KEY });
    // Everything but the key is in `agent.list`.
    for (const identityKey of [undefined, OTHER_KEY]) {
      await expect(agents.register({ ...agent, ...place, instanceEpoch: 9, identityKey })).rejects.toEqual(forbidden);
      await expect(agents.heartbeat({ ...agent, inFlight: 0, identityKey })).rejects.toEqual(forbidden);
      await expect(agents.deregister({ ...agent, identityKey })).rejects.toEqual(forbidden);
    }
    expect(await agents.heartbeat({ ...agent, inFlight: 0, identityKey: KEY })).toMatchObject({ unknown: false });
    const { items } = await agents.list();
    expect(items).toEqual([expect.objectContaining({ agentId: 'agent-1', instanceEpoch: 5, port: 1 })]);
    expect(JSON.stringify(items)).not.toContain('identity');
    // Not the key itself is kept.
    const kept = await service.redis.cli('HGETALL', '{commander}:agent:default:agent-1');
    expect(kept).toContain('instanceEpoch');
    expect(kept).not.toContain(KEY);
    // Its next process has it; and once it is gone the id is free.
    await agents.register({ ...agent, ...place, instanceEpoch: 6, identityKey: KEY });
    expect(await agents.deregister({ ...agent, instanceEpoch: 6, identityKey: KEY })).toEqual({ removed: true });
    await agents.register({ ...agent, ...place, identityKey: OTHER_KEY });
  });

  it('is sent by the agent module', async () => {
    service = await Service.start();
    const options = { commander: { port: service.replicas[0].tcpPort }, agentId: 'agent-1', identityKey: KEY };
    const app = await AgentApp.start(options, [Echo]);
    try {
      await eventually(() => app.agent.isRegistered);
      const { agents } = service.client();
      const foreign = { agentId: 'agent-1', instanceEpoch: Date.now() + 60_000, host: 'h', port: 1, capabilities: [] };
      await expect(agents.register(foreign)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    } finally {
      await app.stop();
    }
    expect((await service.client().agents.list()).items).toEqual([]);
  });
});

describe('the secret that commander shows to agents', () => {
  it('is AGENT_TOKEN, and never the token that opens everything where others may register', async () => {
    const certificates = await Certificates.create();
    const file = join(certificates.caFile, '../tokens.json');
    const token = 'token-of-the-agents-01';
    await writeFile(
      file,
      JSON.stringify({ tokens: [{ name: 'agents', token, namespaces: ['*'], commands: ['agent.*'] }] }),
    );
    try {
      service = await Service.start({ COMMANDER_TOKEN: 'opens-everything', COMMANDER_TOKENS_FILE: file });
      const agent = await TcpAgent.start();
      service.agents.push(agent);
      await agent.join({ port: service.replicas[0].tcpPort, token });
      const { jobs } = service.client({ token: 'opens-everything' });
      await jobs.submit({ job: { name: 'job' }, wait: true });
      expect([...agent.tokens]).toEqual([undefined]);
      const replica = await service.addReplica({ AGENT_TOKEN: 'shown-to-agents' });
      await service.client({ token: 'opens-everything' }, replica).agents.list();
      await service.replicas[0].stop();
      await service.client({ token: 'opens-everything' }, replica).jobs.submit({ job: { name: 'job' }, wait: true });
      expect([...agent.tokens]).toEqual([undefined, 'shown-to-agents']);
    } finally {
      await certificates.remove();
    }
  });
});

describe('TLS to agents', () => {
  let certificates: Certificates;
  const apps: AgentApp[] = [];
  beforeAll(async () => {
    certificates = await Certificates.create();
  });
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.stop()));
  });
  afterAll(() => certificates.remove());

  const startService = async () => {
    const shown = await certificates.issue('commander');
    service = await Service.start({
      AGENT_TLS: 'true',
      AGENT_TLS_CA_FILE: certificates.caFile,
      AGENT_TLS_CERT_FILE: shown.certFile,
      AGENT_TLS_KEY_FILE: shown.keyFile,
      NO_AGENT_WAIT_MS: '0',
    });
  };
  const pem = ({ certFile, keyFile }: CertificateFiles) => ({
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    ca: readFileSync(certificates.caFile),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const startAgent = async (options: CommanderAgentOptions) => {
    const app = await AgentApp.start({ commander: { port: service.replicas[0].tcpPort }, ...options }, [Echo]);
    apps.push(app);
    await eventually(() => app.agent.isRegistered);
    return app;
  };
  const echo = (agentId: string) =>
    service.client().jobs.submit({
      ...{ job: { name: 'echo', payload: 'hello' }, route: { agentIds: [agentId] }, wait: true },
      ...{ retry: { maxAttempts: 1 }, deadlineMs: 10_000 },
    });

  it('carries runs to agents whose certificate names their host or their id', async () => {
    await startService();
    await startAgent({ agentId: 'by-host', listenTls: pem(await certificates.issue('any')) });
    await startAgent({ agentId: 'by-id', listenTls: pem(await certificates.issue('pod', 'DNS:by-id')) });
    expect(await echo('by-host')).toMatchObject({ result: 'hello' });
    expect(await echo('by-id')).toMatchObject({ result: 'hello' });
  });

  it('carries none to one that shows another name, another CA, or no certificate', async () => {
    const stranger = await Certificates.create();
    try {
      await startService();
      await startAgent({ agentId: 'other-name', listenTls: pem(await certificates.issue('pod', 'DNS:by-id')) });
      await startAgent({ agentId: 'other-ca', listenTls: pem(stranger) });
      await startAgent({ agentId: 'plain' });
      for (const agentId of ['other-name', 'other-ca', 'plain']) {
        await expect(echo(agentId)).rejects.toMatchObject({ code: expect.stringMatching(/UNAVAILABLE|NO_AGENT/) });
      }
    } finally {
      await stranger.remove();
    }
  });

  it('is not entered by who shows no certificate to an agent that asks for one, and lets the agent renew its own', async () => {
    await startService();
    const app = await startAgent({ agentId: 'by-host', listenTls: pem(await certificates.issue('any')) });
    expect(await echo('by-host')).toMatchObject({ result: 'hello' });
    const ca = readFileSync(certificates.caFile);
    /** The name that the agent shows to who is let in: whoever is answered. */
    const nameShown = (own?: CertificateFiles) =>
      new Promise<string | undefined>((resolve) => {
        const socket = connect({ port: app.port, host: '127.0.0.1', ca, ...(own && pem(own)) });
        socket.on('error', () => resolve(undefined));
        socket.on('close', () => resolve(undefined));
        // TLS 1.3: what the agent thinks of us comes after the handshake.
        socket.on('secureConnect', () => socket.write(requestFrame('ping', 'agent.ping', {})));
        socket.once('data', () => {
          resolve([socket.getPeerCertificate().subject.CN].flat()[0]);
          socket.destroy();
        });
      });
    expect(await nameShown()).toBeUndefined();
    const own = await certificates.issue('commander');
    expect(await nameShown(own)).toBe('any');
    app.agent.renewTls(pem(await certificates.issue('renewed')));
    expect(await nameShown(own)).toBe('renewed');
  });
});
