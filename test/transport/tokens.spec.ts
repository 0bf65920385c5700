import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import type { TcpPeer } from '../support/tcp-peer.js';
import { CommandApp } from './command-app.js';

const CRAWLER = 'crawler-token-0123456789';
const AGENT = 'agent-token-0123456789ab';
const ADMIN = 'admin-token';
const entries = {
  crawler: { name: 'crawler', token: CRAWLER, namespaces: ['crawl', 'crawl-*'], commands: ['agent.list', 'job.*'] },
  agent: {
    name: 'agents of crawl',
    sha256: createHash('sha256').update(AGENT).digest('hex'),
    namespaces: ['crawl'],
    commands: ['agent.*'],
    agentIds: ['crawler-*', 'lone'],
  },
};

describe('tokens of COMMANDER_TOKENS_FILE', () => {
  let directory: string;
  let path: string;
  let commandApp: CommandApp;
  let peer: TcpPeer;
  const logged: string[] = [];
  const write = (tokens: unknown[]) => writeFile(path, JSON.stringify({ tokens }));

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'commander-tokens-'));
    path = join(directory, 'tokens.json');
    await write(Object.values(entries));
    commandApp = await CommandApp.start({
      commanderToken: ADMIN,
      commanderTokensFile: path,
      fileCheckEveryMs: 50,
      frameTimeoutMs: 3_000,
    });
    const remember = (line: unknown) => logged.push(String(line));
    commandApp.app.useLogger({ log: remember, warn: remember, error: remember });
    peer = await commandApp.peer();
  });
  afterEach(async () => {
    await commandApp.close();
    commandApp.app.useLogger(false);
    await rm(directory, { recursive: true, force: true });
  });

  const ask = (token: string, pattern: string, data: object) => peer.code(pattern, data, { token });

  it('open their commands in their namespaces, and nothing else', async () => {
    expect(await ask(CRAWLER, 'agent.list', { namespace: 'crawl' })).toBe('OK');
    expect(await ask(CRAWLER, 'agent.list', { namespace: 'crawl-2' })).toBe('OK');
    expect(await ask(CRAWLER, 'job.submit', { namespace: 'crawl', job: { name: 'x' } })).toBe('OK');
    expect(await ask(CRAWLER, 'agent.list', { namespace: 'craw' })).toBe('FORBIDDEN');
    expect(await ask(CRAWLER, 'agent.list', {})).toBe('FORBIDDEN');
    expect(await ask(CRAWLER, 'system.health', { namespace: 'crawl' })).toBe('FORBIDDEN');
    expect(await ask(CRAWLER, 'agent.drain', { namespace: 'crawl', agentId: 'a' })).toBe('FORBIDDEN');
    expect(commandApp.witness.calls.filter(({ pattern }) => pattern === 'agent.drain')).toEqual([]);
    expect(await ask(ADMIN, 'agent.list', {})).toBe('OK');
    // One connection, many speakers: each request is looked at for itself.
    expect(await ask(CRAWLER, 'agent.list', {})).toBe('FORBIDDEN');
    expect(await ask('nobody-token-0123456789', 'agent.list', {})).toBe('UNAUTHENTICATED');
    expect(commandApp.server.stats().inFlightBytes).toBe(0);
  });

  it('let an agent speak for its own ids only', async () => {
    const heartbeat = (agentId: string) =>
      ask(AGENT, 'agent.heartbeat', { namespace: 'crawl', agentId, instanceEpoch: 1, inFlight: 0 });
    expect(await heartbeat('crawler-7')).toBe('OK');
    expect(await heartbeat('lone')).toBe('OK');
    for (const foreign of ['lone-2', 'crawle', 'other']) expect(await heartbeat(foreign)).toBe('FORBIDDEN');
  });

  it('come and go with the file, also on connections that are open; a broken file changes nothing', async () => {
    expect(await ask(CRAWLER, 'agent.list', { namespace: 'crawl' })).toBe('OK');
    await writeFile(path, `{"tokens": [{"name": "broken", "token": "${AGENT}"`);
    await eventually(() => logged.some((line) => line.includes('stay in force')));
    expect(await ask(CRAWLER, 'agent.list', { namespace: 'crawl' })).toBe('OK');
    await write([{ ...entries.crawler, token: 'another-token-0123456789' }]);
    await eventually(async () =>
      expect(await ask(CRAWLER, 'agent.list', { namespace: 'crawl' })).toBe('UNAUTHENTICATED'),
    );
    expect(await ask('another-token-0123456789', 'agent.list', { namespace: 'crawl' })).toBe('OK');
    expect(await ask(ADMIN, 'agent.list', {})).toBe('OK');
    expect(logged.join('\n')).not.toMatch(/token-0123/);
  });

  it('are waited for as long as for a frame: who shows none holds no connection', async () => {
    const [silent, wrong] = [await commandApp.peer(), await commandApp.peer()];
    await eventually(async () => {
      if (!wrong.isClosed) expect(await wrong.code('system.health', {}, { token: 'wrong' })).toBe('UNAUTHENTICATED');
      expect(await ask(ADMIN, 'system.health', {})).toBe('OK');
      return silent.isClosed && wrong.isClosed;
    }).catch((error: Error) => expect(error.message).toMatch(/closed/));
    await eventually(() => silent.isClosed && wrong.isClosed);
    expect(await ask(ADMIN, 'system.health', {})).toBe('OK');
    expect(commandApp.server.stats().closedCounts.unauthenticated).toBe(2);
  });

  it('that are revoked hold no connection any more, however much is asked with them; those that are not do', async () => {
    const revoked = await commandApp.peer();
    const askRevoked = () => revoked.code('agent.list', { namespace: 'crawl' }, { token: CRAWLER });
    expect(await askRevoked()).toBe('OK');
    expect(await ask(ADMIN, 'agent.list', {})).toBe('OK');
    await write([entries.agent]);
    await eventually(async () => {
      if (!revoked.isClosed) await askRevoked().catch(() => undefined);
      expect(await ask(ADMIN, 'agent.list', {})).toBe('OK');
      expect(revoked.isClosed).toBe(true);
    });
    expect(commandApp.server.stats().closedCounts.unauthenticated).toBe(1);
  });

  it.each([
    ['no JSON', 'not json: secret-0123456789abcdef', 'expected JSON'],
    ['a short token', JSON.stringify({ tokens: [{ ...entries.crawler, token: 'short-secret' }] }), 'tokens.0.token'],
    ['token and digest', JSON.stringify({ tokens: [{ ...entries.agent, token: CRAWLER }] }), 'one of token and sha256'],
    ['no commands', JSON.stringify({ tokens: [{ ...entries.crawler, commands: [] }] }), 'tokens.0.commands'],
    ['"*" in the middle', JSON.stringify({ tokens: [{ ...entries.crawler, commands: ['a*b'] }] }), 'tokens.0.commands'],
    ['an unknown field', JSON.stringify({ tokens: [{ ...entries.crawler, namespace: 'x' }] }), 'namespace'],
  ])('refuse the start when the file holds %s, without showing a token', async (_what, text, expected) => {
    await commandApp.close();
    await writeFile(path, text);
    const refused = CommandApp.start({ commanderTokensFile: path });
    await expect(refused).rejects.toThrow(expected);
    await expect(refused).rejects.toThrow(/^COMMANDER_TOKENS_FILE=/);
    await expect(refused).rejects.not.toThrow(/secret|0123456789/);
  });
});
