import { readdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { once } from 'node:events';
import { heapSchema } from '../../../src/contract/heap.schema';
import { livesSchema } from '../../../src/contract/recorder.schema';
import { type LedgerGroups, ledgerGroupsSchema } from '../../../src/contract/ledger.schema';
import { httpGet } from '../../support/http-get';
import { eventually } from '../../support/eventually';
import { WatchedProgram } from './support/watched-program';

/** Without buffers, which Node itself makes a few of at any time; now and then the sampling catches one. */
const withoutBuffers = <Counted extends { kind: string }>(counted: Counted[]): Counted[] =>
  counted.filter(({ kind }) => kind !== 'buffer');
const kindsOf = ({ kinds }: LedgerGroups): string[] =>
  withoutBuffers(kinds)
    .map(({ kind }) => kind)
    .sort();

/** Three intervals leaked at line 3; ends by itself when its standard input does. */
const leaking = [
  'const leaked = [];',
  'for (let index = 0; index < 3; index++)',
  '  leaked.push(setInterval(() => undefined, 60_000));',
  "process.stdin.on('end', () => leaked.forEach(clearInterval)).resume();",
].join('\n');

describe('mu-commander/register with MU_DIAGNOSTICS_PORT', () => {
  let program: WatchedProgram;
  afterEach(() => program.remove());

  describe.each(['--require', '--import'] as const)('%s', (preload) => {
    it.each(['app.cjs', 'app.mjs'])('names the leaking line of %s, and counts nothing of its own', async (file) => {
      program = WatchedProgram.start(file, leaking, preload, { MU_DIAGNOSTICS_PORT: '0' });
      const base = await program.base();
      // The program's first line may run after the port is told.
      const found = await eventually(async () => {
        const answer = ledgerGroupsSchema.parse((await httpGet(`${base}/diagnostics/groups?min=0`)).json());
        expect(withoutBuffers(answer.groups)).toHaveLength(1);
        return answer;
      });
      expect(withoutBuffers(found.groups)[0]).toMatchObject({
        kind: 'interval',
        live: 3,
        exact: true,
        site: { file, line: 3 },
      });
      expect(kindsOf(found)).toEqual(['interval']);
      expect((await httpGet(`${base}/diagnostics`)).json()).toHaveProperty('heap.usedBytes');
      expect((await httpGet(`${base}/`)).json()).toMatchObject({ code: 'NOT_FOUND' });
      expect(program.written).toBe('');
    });
  });

  it('does not keep the process alive, whoever is connected', async () => {
    program = WatchedProgram.start('app.cjs', leaking, '--require', { MU_DIAGNOSTICS_PORT: '0' });
    const { port } = new URL(await program.base());
    const idle = createConnection(Number(port), '127.0.0.1');
    const asking = createConnection(Number(port), '127.0.0.1');
    for (const socket of [idle, asking]) socket.on('error', () => undefined);
    asking.write('GET /diagnostics/groups?delta=30 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await Promise.all([once(idle, 'connect'), once(asking, 'connect')]);
    expect(await program.letEnd()).toBe(0);
    for (const socket of [idle, asking]) socket.destroy();
  });

  it('tells a port nobody chose on standard error, where no file is named for it', async () => {
    program = WatchedProgram.start('app.cjs', leaking, '--require', {
      MU_DIAGNOSTICS_PORT: '0',
      MU_DIAGNOSTICS_PORT_FILE: '',
    });
    const base = await eventually(() => /http:\/\/127\.0\.0\.1:\d+/.exec(program.written)?.[0] ?? false);
    expect((await httpGet(`${base}/diagnostics`)).status).toBe(200);
  });

  it('takes a token from the environment, and shows it to nobody', async () => {
    const token = 'a-token-of-the-environment';
    program = WatchedProgram.start('app.cjs', leaking, '--require', {
      MU_DIAGNOSTICS_PORT: '0',
      MU_DIAGNOSTICS_HOST: '0.0.0.0',
      MU_DIAGNOSTICS_TOKEN: token,
    });
    const base = await program.base();
    const foreign = { Host: 'shop.example.org' };
    expect((await httpGet(`${base}/diagnostics`, { headers: foreign })).status).toBe(401);
    const answer = await httpGet(`${base}/diagnostics`, { headers: { ...foreign, Authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(200);
    expect(answer.text + program.written).not.toContain(token);
  });

  it('asks this machine for the token where the environment says so', async () => {
    program = WatchedProgram.start('app.cjs', leaking, '--require', {
      MU_DIAGNOSTICS_PORT: '0',
      MU_DIAGNOSTICS_TOKEN: 'a-token',
      MU_DIAGNOSTICS_TRUST_LOOPBACK: 'false',
    });
    const base = await program.base();
    expect((await httpGet(`${base}/diagnostics`)).status).toBe(401);
    const headers = { Authorization: 'Bearer a-token' };
    expect((await httpGet(`${base}/diagnostics`, { headers })).status).toBe(200);
  });

  it('records, samples and serves as the environment says', async () => {
    program = WatchedProgram.start('app.cjs', leaking, '--require', {
      MU_DIAGNOSTICS_PORT: '0',
      MU_DIAGNOSTICS_METRICS: 'false',
      MU_DIAGNOSTICS_HEAP_SAMPLING: 'always',
      MU_DIAGNOSTICS_EVIDENCE_DIR: '.',
      MU_DIAGNOSTICS_EVIDENCE_MAX_BYTES: '2000000',
      MU_DIAGNOSTICS_INSTANCE: 'shop',
      MU_DIAGNOSTICS_RECORDER_INTERVAL_MS: '100',
      MU_DIAGNOSTICS_MEMORY_SOFT_LIMIT_RATIO: '.9',
    });
    const base = await program.base();
    const { current, takenAt } = await eventually(async () => {
      const answer = livesSchema.parse((await httpGet(`${base}/diagnostics/lives`)).json());
      return answer.current.lastSample !== null && answer;
    });
    expect(current).toMatchObject({ instance: 'shop', pid: program.child.pid });
    expect(readdirSync(program.directory)).toContainEqual(expect.stringMatching(/^shop@/));
    const { sampling } = heapSchema.parse((await httpGet(`${base}/diagnostics/heap`)).json());
    expect(sampling.startedAt).toBeLessThan(takenAt);
    expect((await httpGet(`${base}/metrics`)).status).toBe(404);
    expect(await program.letEnd()).toBe(0);
    expect(program.written).toBe('');
  });

  it.each([
    ['a wide address without a token', { MU_DIAGNOSTICS_PORT: '0', MU_DIAGNOSTICS_HOST: '0.0.0.0' }, 'or a token'],
    [
      'this machine without a token when it may not ask without',
      { MU_DIAGNOSTICS_PORT: '0', MU_DIAGNOSTICS_TRUST_LOOPBACK: 'false' },
      'trustLoopback: expected a token where it is false',
    ],
    ['a port that is none', { MU_DIAGNOSTICS_PORT: '70000' }, 'MU_DIAGNOSTICS_PORT="70000": expected 0 to 65535'],
    ['a mode that is none', { MU_DIAGNOSTICS_PORT: '0', MU_DIAGNOSTICS_HEAP_SAMPLING: 'yes' }, '"demand" or "always"'],
    [
      'a ratio above one',
      { MU_DIAGNOSTICS_PORT: '0', MU_DIAGNOSTICS_MEMORY_SOFT_LIMIT_RATIO: '85' },
      'above 0, up to 1',
    ],
    [
      'a name that no file can have',
      { MU_DIAGNOSTICS_PORT: '0', MU_DIAGNOSTICS_INSTANCE: '../x' },
      'recorder.instance',
    ],
    ['an interval too short', { MU_DIAGNOSTICS_PORT: '0', MU_DIAGNOSTICS_RECORDER_INTERVAL_MS: '5' }, '100 to 3600000'],
  ])('refuses %s in one line, and lets the program run', async (_what, env, reason) => {
    program = WatchedProgram.start('app.cjs', leaking, '--require', env);
    expect(await program.letEnd()).toBe(0);
    expect(program.written).toContain(`mu-commander: no diagnostics: `);
    expect(program.written).toContain(reason);
    expect(program.written.trim().split('\n')).toHaveLength(1);
  });

  it('serves in the process alone, not in the workers and children that inherit the preload', async () => {
    const text = [
      "const { Worker } = require('node:worker_threads');",
      "const { fork } = require('node:child_process');",
      "if (process.argv[2] === 'child') process.exit();",
      "new Worker('', { eval: true }).on('exit', () => console.log('worker gone'));",
      "fork(__filename, ['child']).on('exit', (code) => console.log('child gone', code));",
      'process.stdin.resume();',
    ].join('\n');
    program = WatchedProgram.start('app.cjs', text, '--require', { MU_DIAGNOSTICS_PORT: '0' });
    const base = await program.base();
    await eventually(() => program.written.includes('worker gone') && program.written.includes('child gone 0'));
    const found = ledgerGroupsSchema.parse((await httpGet(`${base}/diagnostics/groups`)).json());
    expect(kindsOf(found)).toEqual(['child_process', 'worker']);
    expect(program.written).not.toContain('no diagnostics');
  });
});
