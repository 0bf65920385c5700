import { createServer, connect, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { ledgerGroupsSchema } from '../../src/contract/ledger.schema';
import { startLedger, stopLedger, trackResource } from '../../src/ledger/index';
import { eventually } from '../support/eventually';
import { httpGet } from '../support/http-get';
import { DiagnosticsApp } from './support/diagnostics-app';

describe('GET /diagnostics/groups', () => {
  let served: DiagnosticsApp;
  let mute: Server;
  const accepted: Socket[] = [];

  beforeAll(async () => {
    startLedger({ projectRoot: process.cwd() });
    served = await DiagnosticsApp.start();
    mute = createServer((socket) => accepted.push(socket)).listen(0);
    await once(mute, 'listening');
  });

  afterAll(async () => {
    for (const socket of accepted) socket.destroy();
    mute.close();
    await served.app.close();
    stopLedger();
  });

  const groups = async (query = '') => {
    const answer = await httpGet(served.url(`/diagnostics/groups${query}`));
    expect(answer.status).toBe(200);
    return ledgerGroupsSchema.parse(answer.json());
  };
  /** Where the caller of this is. */
  const hereLine = (): number => Number(/groups\.spec\.ts:(\d+)/.exec(new Error().stack!.split('\n')[2]!)![1]);

  it('names the line that opened what is alive, until it is closed', async () => {
    const { port } = mute.address() as { port: number };
    const line = hereLine() + 1;
    const sockets = [1, 2, 3].map(() => connect(port).on('error', () => undefined));
    const found = (await groups('?kind=socket.client')).groups.find(({ site }) => site?.line === line);
    expect(found).toMatchObject({ live: 3, exact: true, error: 0, site: { file: 'test/diagnostics/groups.spec.ts' } });

    const one = await httpGet(served.url(`/diagnostics/groups/${found!.id}`));
    expect(one.json()).toMatchObject({ id: found!.id, kind: 'socket.client', live: 3, created: 3, closed: 0 });
    const text = await httpGet(served.url('/diagnostics/groups?kind=socket&format=text'));
    expect(text.text).toMatch(new RegExp(`^ *3 .*socket\\.client +test/diagnostics/groups\\.spec\\.ts:${line}$`, 'm'));

    for (const socket of sockets) socket.destroy();
    await eventually(async () => {
      const after = (await groups('?kind=socket.client&min=0')).groups.find(({ id }) => id === found!.id);
      expect(after).toMatchObject({ live: 0, created: 3, closed: 3 });
    });
    expect((await groups('?kind=socket.client')).groups.some(({ id }) => id === found!.id)).toBe(false);
  });

  it('tells with ?delta what changed meanwhile', async () => {
    const resources = Array.from({ length: 5 }, () => ({}));
    const open = (index: number) => trackResource('spec-resource', resources[index]!);
    open(0);
    const answer = groups('?kind=spec-resource&delta=2');
    // The first look has been taken by then, and the second one has not.
    await new Promise((resolve) => setTimeout(resolve, 800));
    for (const index of [1, 2, 3, 4]) open(index);
    const { groups: changed, deltaMs } = await answer;
    expect(deltaMs).toBeGreaterThanOrEqual(1_900);
    expect(changed.reduce((sum, { delta }) => sum + delta!.live, 0)).toBe(4);
  });

  it('takes one delta at a time', async () => {
    const both = await Promise.all([1, 2].map(() => httpGet(served.url('/diagnostics/groups?delta=1'))));
    const [taken, refused] = both.sort((one, other) => one.status - other.status);
    expect(taken!.status).toBe(200);
    expect([refused!.status, refused!.headers['retry-after']]).toEqual([429, '1']);
    expect(refused!.json()).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    await groups('?delta=1');
  });

  it.each([
    '?delta=31',
    '?delta=0',
    '?delta=x',
    '?min=-1',
    '?limit=0',
    '?limit=201',
    '?sort=name',
    '?format=xml',
    '?other=1',
  ])('refuses %s', async (query) => {
    const answer = await httpGet(served.url(`/diagnostics/groups${query}`));
    expect([answer.status, answer.json()]).toEqual([400, expect.objectContaining({ code: 'INVALID_ARGUMENT' })]);
  });

  it('answers 404 for a group it does not know', async () => {
    const answer = await httpGet(served.url('/diagnostics/groups/000000000000'));
    expect([answer.status, answer.json()]).toEqual([404, expect.objectContaining({ code: 'NOT_FOUND' })]);
  });

  it('is guarded like the rest', async () => {
    const answer = await httpGet(served.url('/diagnostics/groups'), { headers: { 'X-Forwarded-For': '10.0.0.1' } });
    expect(answer.status).toBe(403);
  });
});
