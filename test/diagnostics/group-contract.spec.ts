import { join } from 'node:path';
import { type LedgerGroups, ledgerGroupsSchema } from '../../src/contract/ledger.schema';
import { eventually } from '../support/eventually';
import { httpGet } from '../support/http-get';
import { WatchedProgram } from './standalone/support/watched-program';

type Group = LedgerGroups['groups'][number];

/** What every group has, whatever it is of. */
const FIELDS = [
  'ageMs',
  'closed',
  'collectedOpen',
  'created',
  'error',
  'exact',
  'id',
  'kind',
  'lifetimeMs',
  'live',
  'peak',
  'ratePerSecond',
  'site',
  'stack',
];

const FILE = 'src/lib/shop.cjs';
const text = `const net = require('node:net');
const { trackResource } = require(${JSON.stringify(join(process.cwd(), 'dist/ledger/index.js'))});
class Shop {
  open() {
    return setInterval(() => undefined, 60_000); // plant:open
  }
}
function openFive(shop) {
  return [1, 2, 3, 4, 5].map(() => shop.open()); // plant:calls
}
const kept = openFive(new Shop());
clearInterval(kept.pop());
clearInterval(kept.pop());

const accepted = [];
const server = net.createServer((socket) => accepted.push(socket)).listen(0, () => { // plant:listen
  kept.push(net.connect(server.address().port), net.connect(server.address().port));
});

// Called by Node itself, with nothing of this file on the stack.
process.nextTick(setInterval, () => undefined, 60_000);

for (let index = 0; index < 4; index++) trackResource('basket', {}); // plant:basket
require('node:v8').setFlagsFromString('--expose-gc');
const gc = require('node:vm').runInNewContext('gc');
setInterval(gc, 100);

kept.push(Buffer.alloc(32 * 1024 * 1024)); // plant:buffer
process.stdin.resume();
`;
const lineOf = (mark: string): number => text.split('\n').findIndex((line) => line.includes(`// plant:${mark}`)) + 1;

describe('a group of /diagnostics/groups', () => {
  let program: WatchedProgram;
  let base: string;

  beforeAll(async () => {
    program = WatchedProgram.start(FILE, text, '--require', { MU_DIAGNOSTICS_PORT: '0' });
    base = await program.base();
  });
  afterAll(() => program.remove());

  const group = async (wanted: (group: Group) => boolean): Promise<Group> => {
    const answer = (await httpGet(`${base}/diagnostics/groups?min=0&limit=200`)).json();
    const found = ledgerGroupsSchema.parse(answer).groups.filter(wanted);
    expect(found).toHaveLength(1);
    return found[0]!;
  };
  const at = (mark: string, kind: string) => (one: Group) => one.kind === kind && one.site?.line === lineOf(mark);

  it('says what it is of, how many there are and were, where they are made, how old they are and how fast they grow', async () => {
    const open = await eventually(() => group(at('open', 'interval')));
    expect(Object.keys(open).sort()).toEqual(FIELDS);
    const column = 1 + text.split('\n')[lineOf('open') - 1]!.indexOf('setInterval');
    const site = { file: FILE, line: lineOf('open'), column, function: 'Shop.open' };
    expect(open).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{12}$/),
      kind: 'interval',
      live: 3,
      created: 5,
      closed: 2,
      collectedOpen: 0,
      peak: 5,
      exact: true,
      error: 0,
      site,
      ratePerSecond: expect.any(Number),
    });
    expect(open.stack[0]).toEqual({ ...site, library: false });
    expect(open.stack.slice(1, 3)).toEqual([
      expect.objectContaining({ file: FILE, line: lineOf('calls'), library: false }),
      expect.objectContaining({ file: FILE, line: lineOf('calls'), function: 'openFive', library: false }),
    ]);
    expect(Object.keys(open.ageMs!).sort()).toEqual(['mean', 'oldest']);
    expect(open.ageMs!.mean).toBeGreaterThan(0);
    expect(open.ageMs!.oldest).toBeGreaterThanOrEqual(open.ageMs!.mean);
    expect(open.lifetimeMs).toEqual({ median: expect.any(Number), p95: expect.any(Number) });
  });

  it('is answered alone under its id, older by then', async () => {
    const listed = await eventually(() => group(at('open', 'interval')));
    const alone = (await httpGet(`${base}/diagnostics/groups/${listed.id}`)).json<Group>();
    expect(Object.keys(alone).sort()).toEqual(FIELDS);
    expect(alone).toEqual({
      ...listed,
      ageMs: { mean: expect.any(Number), oldest: expect.any(Number) },
      ratePerSecond: expect.any(Number),
    });
    expect(alone.ageMs!.oldest).toBeGreaterThanOrEqual(listed.ageMs!.oldest);
  });

  it('says by what its resources were opened, where that was not the application', async () => {
    const sockets = await eventually(async () => {
      const found = await group(at('listen', 'socket.server'));
      expect(found.live).toBe(2);
      return found;
    });
    expect(Object.keys(sockets).sort()).toEqual([...FIELDS, 'via'].sort());
    expect(sockets).toMatchObject({ via: 'server', exact: true, site: { file: FILE, line: lineOf('listen') } });
  });

  it('has no site where nothing of the application was on the stack', async () => {
    const nowhere = await eventually(() => group(({ kind, site }) => kind === 'interval' && site === null));
    expect(nowhere).toMatchObject({ live: 1, site: null, stack: [] });
  });

  it('counts apart what was dropped without a close', async () => {
    const baskets = await eventually(async () => {
      const found = await group(at('basket', 'basket'));
      expect(found.collectedOpen).toBe(4);
      return found;
    });
    expect(baskets).toMatchObject({ live: 0, created: 4, closed: 0, collectedOpen: 4, peak: 4, ageMs: null });
  });

  it('has bytes where its kind is counted in bytes', async () => {
    const buffers = await eventually(() => group(at('buffer', 'buffer')));
    expect(Object.keys(buffers).sort()).toEqual([...FIELDS, 'liveBytes'].sort());
    expect(buffers.exact).toBe(false);
    expect(buffers.liveBytes).toBeGreaterThanOrEqual(32 * 1_048_576);
  });
});
