import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommanderClient } from '../../src/sdk/commander-client';
import type { Endpoint } from '../../src/diagnostics/http/endpoint';
import { BuiltApp } from '../support/built-app';
import { eventually } from '../support/eventually';
import { TcpAgent } from '../support/fake-agent';
import { RedisServer } from '../support/redis-server';
import { everyEndpoint, fullAnswer, holdCostlySlot, pathOf, queriesOf, titleOf } from './support/every-endpoint';

jest.setTimeout(120_000);

/** Nowhere to be found in an answer. */
const SECRETS = {
  environment: 'planted-in-the-environment',
  commandToken: 'planted-command-token-0123456789',
  diagnosticsToken: 'planted-diagnostics-token-0123456789',
  redisPassword: 'planted-redis-password',
  argument: 'planted-in-an-argument',
  payload: 'planted-in-a-payload',
  header: 'planted-in-a-header',
  result: 'planted-in-a-result',
};

/** The whole heap, and so whatever is in it: nobody gets it who may not read the memory of the process. */
const HOLDS_THE_HEAP = ['POST /diagnostics/snapshot'];

const table = everyEndpoint.map((endpoint) => [titleOf(endpoint), endpoint] as const);

describe('every endpoint of the diagnostics', () => {
  let redis: RedisServer;
  let app: BuiltApp;
  let client: CommanderClient;
  let agent: TcpAgent;
  let groupId: string;
  const directory = mkdtempSync(join(tmpdir(), 'commander-endpoints-'));

  beforeAll(async () => {
    redis = await RedisServer.start({ password: SECRETS.redisPassword });
    app = await BuiltApp.start({
      redisUrl: redis.url,
      // A small heap, a third of which is in use from the start on: evidence is written at its soft limit.
      nodeArgs: ['--max-old-space-size=96', '--max-semi-space-size=2'],
      appArgs: [`--password=${SECRETS.argument}`],
      env: {
        SOME_PASSWORD: SECRETS.environment,
        COMMANDER_TOKEN: SECRETS.commandToken,
        DIAGNOSTICS_TOKEN: SECRETS.diagnosticsToken,
        RECORDER_INTERVAL_MS: '200',
        EVIDENCE_DIR: directory,
        MEMORY_SOFT_LIMIT_RATIO: '0.3',
      },
    });
    client = new CommanderClient({ port: app.tcpPort, token: SECRETS.commandToken, requestTimeoutMs: 30_000 });
    agent = await TcpAgent.start({ handler: () => ({ found: SECRETS.result }) });
    await agent.join({ port: app.tcpPort, token: SECRETS.commandToken });
    const job = { name: 'job', payload: { text: SECRETS.payload }, headers: { 'x-secret': SECRETS.header } };
    await client.schedules.upsert({ id: 'planted', everyMs: 100, job });
    await client.jobs.submit({ job, wait: true });
    groupId = await eventually(async () => {
      const { groups } = JSON.parse(
        (await fullAnswer(app.httpUrl, 'GET', '/diagnostics/groups')).text.replace(/^.*\n/, ''),
      );
      return (groups[0] as { id: string }).id;
    });
  });

  afterAll(async () => {
    await client?.close();
    await agent?.stop();
    await app?.stop();
    await redis?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('is found by the table', () => {
    const titles = table.map(([title]) => title);
    expect(titles).toEqual(expect.arrayContaining(['GET /diagnostics', 'GET /debug/pprof/heap', ...HOLDS_THE_HEAP]));
    expect(new Set(titles).size).toBe(titles.length);
  });

  it.each(table.filter(([title]) => !HOLDS_THE_HEAP.includes(title)))(
    '%s shows no secret',
    async (_title, endpoint) => {
      const authorization = { Authorization: `Bearer ${SECRETS.diagnosticsToken}` };
      const timed =
        Object.hasOwn(endpoint.query.shape, 'seconds') && endpoint.costlySeconds?.(endpoint.query.parse({}));
      for (const query of queriesOf(endpoint)) {
        const asked = [query, timed && !query.includes('seconds=') ? 'seconds=1' : ''].filter(Boolean).join('&');
        const path = `${pathOf(endpoint, { id: groupId })}?${asked}`;
        const { status, text } = await fullAnswer(app.httpUrl, endpoint.method, path, { headers: authorization });
        expect([path, status < 400 || status === 404, status]).toEqual([path, true, status]);
        const shown = Object.entries(SECRETS).filter(([, secret]) => text.includes(secret));
        expect([path, shown]).toEqual([path, []]);
      }
    },
  );

  /** What a request from elsewhere is answered, in each of its forms. */
  const strangersAre = async (status: number, endpoint: Endpoint, path: string, more: Record<string, string> = {}) => {
    for (const headers of [
      { 'X-Forwarded-For': '203.0.113.7' },
      { Host: 'commander.example.org' },
      { Host: 'commander.example.org', Authorization: 'Bearer wrong' },
    ] as Record<string, string>[]) {
      // Strangers may ask ten times a second, and this asks more.
      await eventually(async () => {
        const answer = await fullAnswer(app.httpUrl, endpoint.method, path, { headers: { ...headers, ...more } });
        expect([path, answer.status]).toEqual([path, status]);
      });
    }
  };

  it.each(table.filter(([, { open }]) => open !== true))(
    '%s is for this machine, or for the token',
    async (_title, endpoint) => strangersAre(401, endpoint, pathOf(endpoint, { id: groupId })),
  );

  it('the page and its files are for everybody: they hold nothing of the process', async () => {
    const open = table.filter(([, endpoint]) => endpoint.open === true).map(([, endpoint]) => endpoint);
    expect(open.map(({ path }) => path)).toEqual(['/diagnostics', '/diagnostics/page/:file']);
    await strangersAre(200, open[0]!, '/diagnostics', { Accept: 'text/html' });
    for (const file of ['main.js', 'main.css']) await strangersAre(200, open[1]!, `/diagnostics/page/${file}`);
    await strangersAre(404, open[1]!, '/diagnostics/page/..%2F..%2Fdiagnostics.js');
    await strangersAre(401, open[0]!, '/diagnostics');
  });

  it('the page runs no script and no style but its own files', async () => {
    const { text } = await fullAnswer(app.httpUrl, 'GET', '/diagnostics', { headers: { Accept: 'text/html' } });
    const [head, ...html] = text.split('\n');
    const headers = JSON.parse(head!) as string[];
    const policy = headers[headers.indexOf('Content-Security-Policy') + 1];
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; /);
    expect(policy).not.toContain('unsafe');
    expect(html.join('\n')).toMatch(/<script [^>]*src="/);
    expect(html.join('\n')).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|\sstyle=/);
  });

  it.each(table)('%s takes no parameter and no method that it does not know', async (_title, endpoint) => {
    const path = pathOf(endpoint, { id: groupId });
    const strange = await fullAnswer(app.httpUrl, endpoint.method, `${path}?planted=${SECRETS.argument}`);
    expect([path, strange.status]).toEqual([path, 400]);
    expect(strange.text).not.toContain(SECRETS.argument);
    expect((await fullAnswer(app.httpUrl, 'DELETE', path)).status).toBe(405);
  });

  describe('that costs much', () => {
    const costly = table.flatMap(([title, endpoint]) =>
      queriesOf(endpoint)
        .filter((query) => {
          const parsed = endpoint.query.safeParse(Object.fromEntries(new URLSearchParams(query)));
          return parsed.success && endpoint.costlySeconds?.(parsed.data) !== undefined;
        })
        .slice(0, 1)
        .map((query) => [title, endpoint, query] as const),
    );
    let letGo: () => Promise<void>;

    beforeAll(async () => {
      letGo = holdCostlySlot(app.httpUrl);
      await eventually(async () => {
        expect((await fullAnswer(app.httpUrl, 'GET', '/diagnostics/report')).status).toBe(429);
      });
    });
    afterAll(() => letGo());

    it('is found by the table', () => expect(costly.length).toBeGreaterThan(7));

    it.each(costly)('%s waits for its turn', async (_title, endpoint, query) => {
      const answer = await fullAnswer(app.httpUrl, endpoint.method, `${pathOf(endpoint)}?${query}`);
      expect(answer.status).toBe(429);
      expect(answer.text).toMatch(/"Retry-After","\d+"/);
      expect(answer.text).toContain('"RATE_LIMITED"');
    });

    it.each(costly)('%s is nothing for a page of another site', async (_title, endpoint, query) => {
      const path = `${pathOf(endpoint)}?${query}`;
      for (const [name, value] of [
        ['Sec-Fetch-Site', 'cross-site'],
        ['Origin', 'https://example.org'],
        ['Origin', 'null'],
      ] as const) {
        const answer = await fullAnswer(app.httpUrl, endpoint.method, path, { headers: { [name]: value } });
        expect(answer.status).toBe(403);
      }
    });
  });

  it('writes no secret into the files of the recorder either', async () => {
    const names = await eventually(
      () => {
        const found = readdirSync(directory);
        return found.some((name) => name.endsWith('.evidence')) && found;
      },
      { timeoutMs: 60_000 },
    );
    expect(names.some((name) => !name.endsWith('.evidence'))).toBe(true);
    for (const name of names) {
      const text = readFileSync(join(directory, name), 'latin1');
      expect(text.length).toBeGreaterThan(100);
      const shown = Object.entries(SECRETS).filter(([, secret]) => text.includes(secret));
      expect([name, shown]).toEqual([name, []]);
    }
  });

  it('goes on answering after all that', async () => {
    expect((await fullAnswer(app.httpUrl, 'GET', '/diagnostics')).status).toBe(200);
    const socket = connect(app.httpPort, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.destroy();
    expect(app.output()).not.toMatch(/diagnostics failed/);
    for (const secret of Object.values(SECRETS)) expect(app.output()).not.toContain(secret);
  });
});
