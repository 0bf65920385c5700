import { type Verdict, type Verdicts, verdictsSchema } from '../../../src/contract/verdict.schema';
import { eventually } from '../../support/eventually';
import { httpGet } from '../../support/http-get';
import { WatchedProgram } from '../standalone/support/watched-program';

jest.setTimeout(180_000);

/**
 * A server under a load of its own. Each request opens three things: a connection that is never closed (line 6, until
 * `/mend`), one that is closed at once (line 7), and a timer that fires within the minute (line 8).
 */
const program = [
  "const http = require('node:http'), net = require('node:net');",
  'const peer = net.createServer((socket) => socket.resume()).listen(0);',
  'const pool = Array.from({ length: 20 }, () => setInterval(() => undefined, 60_000));',
  'let leaking = true, port;',
  'function handle() {',
  '  if (leaking) net.connect(port).unref();',
  '  net.connect(port).end();',
  '  setTimeout(() => undefined, 45_000).unref();',
  '}',
  'const server = http.createServer(({ url }, response) => {',
  "  if (url === '/mend') leaking = false;",
  "  else if (url === '/work') handle();",
  "  response.end('done');",
  '});',
  'server.listen(0, () => {',
  '  port = peer.address().port;',
  '  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });',
  "  const ask = (path) => http.get({ port: server.address().port, path, agent }, (answer) => answer.resume()).on('error', () => undefined);",
  "  setInterval(() => ask('/work'), 10);",
  "  process.stdin.on('data', (data) => ask(String(data).trim())).on('end', () => process.exit());",
  '});',
].join('\n');

describe('GET /diagnostics/verdicts of a program that leaks a connection per request', () => {
  let watched: WatchedProgram;
  let base: string;

  const verdicts = async (query = ''): Promise<Verdicts> => {
    const answer = await httpGet(`${base}/diagnostics/verdicts${query}`);
    expect(answer.status).toBe(200);
    return verdictsSchema.parse(answer.json());
  };
  const own = (found: Verdicts, state: Verdict['state']): Verdict[] =>
    found.verdicts.filter((verdict) => verdict.state === state && verdict.partOf === undefined);

  beforeAll(async () => {
    watched = WatchedProgram.start('app.cjs', program, '--require', { MU_DIAGNOSTICS_PORT: '0' });
    base = await watched.base();
  });
  afterAll(() => watched.remove());

  it('names the line, one per request, and the limit it will meet', async () => {
    const found = await eventually(
      async () => {
        const answer = await verdicts();
        expect(answer.state).toBe('leaking');
        // The time is told once its slope is beyond doubt.
        expect(own(answer, 'leaking')[0]!.limit?.etaMs ?? 0).toBeGreaterThan(0);
        return answer;
      },
      { timeoutMs: 120_000, intervalMs: 250 },
    );
    const [leak, ...others] = own(found, 'leaking');
    expect(others).toEqual([]);
    expect(leak).toMatchObject({
      subject: 'group',
      kind: 'socket.client',
      site: { file: 'app.cjs', line: 6, function: 'handle' },
      precision: 'line',
      perCommandOf: 'http.request',
    });
    expect(leak!.perCommand).toBeGreaterThan(0.9);
    expect(leak!.perCommand).toBeLessThan(1.1);
    expect(['file descriptors', 'cgroup memory', 'V8 heap']).toContain(leak!.limit!.name);
    expect(leak!.sentence).toMatch(
      /client sockets, made at app\.cjs:6 in handle, \+\d+(\.\d)?\/s, .* per http\.request; the limit/,
    );
    expect(found.sentence).toBe(`Leaking: ${leak!.sentence}`);
    const { rssBytes, heapBytes, externalBytes, nativeBytes } = found.rss;
    expect(heapBytes + externalBytes + nativeBytes).toBe(rssBytes);
  });

  it('says so in the log, once', async () => {
    await eventually(() => expect(watched.written).toContain('leaking: '), { timeoutMs: 15_000 });
    expect(watched.written.match(/leaking: .*app\.cjs:6/g)).toHaveLength(1);
  });

  it('says so as text', async () => {
    const { text } = await httpGet(`${base}/diagnostics/verdicts?format=text`);
    expect(text).toMatch(/^Leaking: .*app\.cjs:6/);
    expect(text).toMatch(/^LEAKING {2}.*app\.cjs:6/m);
    expect(text).toMatch(/^ {2}- .*none ended$/m);
  });

  it('lists only the state that was asked for, and refuses one there is not', async () => {
    const { verdicts: listed, totalCount } = await verdicts('?state=leaking&limit=1');
    expect(listed).toHaveLength(1);
    expect(totalCount).toBeGreaterThanOrEqual(1);
    const refused = await httpGet(`${base}/diagnostics/verdicts?state=leaky`);
    expect(refused.status).toBe(400);
    expect(refused.json()).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('takes the verdict back when the growth stops while the work goes on', async () => {
    watched.child.stdin!.write('/mend\n');
    const found = await eventually(
      async () => {
        const answer = await verdicts();
        expect(own(answer, 'leaking')).toEqual([]);
        return answer;
      },
      { timeoutMs: 60_000, intervalMs: 250 },
    );
    const retracted = own(found, 'retracted').find(({ site }) => site?.line === 6);
    expect(retracted).toMatchObject({
      kind: 'socket.client',
      reasons: expect.arrayContaining(['it has stopped growing']),
    });
    await eventually(() => expect(watched.written).toMatch(/no longer leaking: .*app\.cjs:6/), { timeoutMs: 15_000 });
  });
});
