import { Script } from 'node:vm';
import { PprofBuilder } from '../../../src/diagnostics/profiles/pprof-builder';
import { WrittenGroups } from '../../../src/diagnostics/profiles/written-groups';
import {
  type LedgerCount,
  ledgerCounts,
  ledgerCountsNow,
  ledgerStatus,
  startLedger,
  stopLedger,
  trackResource,
} from '../../../src/ledger/index';
import { eventually } from '../../support/eventually';
import { decodedProfile } from './support/decoded-profile';

const PLACES_COUNT = 1_200;

describe('groups written for profiles', () => {
  const kept: object[] = [];
  let groups: WrittenGroups;

  /** One resource at each of so many lines. */
  const plant = (count: number, file: string): void => {
    const track = (index: number): void => {
      kept.push({});
      trackResource(`planted-${index % 4}`, kept.at(-1)!);
    };
    const lines = Array.from({ length: count }, (_, index) => `() => track(${index}),`).join('\n');
    const makers = new Script(`(track) => [\n${lines}\n]`, { filename: `/generated/${file}` }).runInThisContext() as (
      use: typeof track,
    ) => (() => void)[];
    for (const make of makers(track)) make();
  };

  const planted = (): LedgerCount[] => ledgerCountsNow().groups.filter(({ kind }) => kind.startsWith('planted-'));
  const tablesBytes = (): number => groups.tables.messages().reduce((sum, { length }) => sum + length, 0);

  const read = async (written: readonly string[]) => {
    const settings = { sampleTypes: [['live', 'count']] as const, defaultType: 'live', takenAt: 1_700_000_000_000 };
    const builder = new PprofBuilder(settings, groups.tables);
    for (const sample of written) builder.addWritten(sample, [1]);
    return decodedProfile(await builder.encode());
  };

  beforeEach(() => {
    startLedger({ captureBurst: 4_096 });
    groups = new WrittenGroups();
  });

  afterEach(() => {
    groups.stop();
    stopLedger();
    kept.length = 0;
  });

  /** So many that whatever can be written is, and nothing is looked for any more. */
  const looks = (count = 6): void => {
    for (let look = 0; look < count; look++) groups.lookAhead();
  };

  it('are written a thousand at each look, and not again by who asks', async () => {
    plant(PLACES_COUNT, 'ahead.js');
    await ledgerCounts();
    const empty = tablesBytes();
    looks(1);
    expect(tablesBytes()).toBe(empty);
    looks(1);
    const first = tablesBytes();
    expect(first).toBeGreaterThan(empty + 1_000 * 50);
    looks();
    const all = tablesBytes();
    expect(all).toBeGreaterThan(first);
    groups.keepUp(ledgerStatus());
    for (const count of planted()) groups.of(count);
    looks();
    expect(tablesBytes()).toBe(all);
  });

  it('are written by a timer, which ends with them', async () => {
    plant(10, 'timer.js');
    groups.start();
    await eventually(() => expect(tablesBytes()).toBeGreaterThan(10 * 50));
    groups.stop();
    expect(tablesBytes()).toBeLessThan(50);
  });

  it('are not written ahead before their lines were looked up', async () => {
    plant(3, 'unread.js');
    const empty = tablesBytes();
    looks();
    expect(tablesBytes()).toBe(empty);
    plant(3, 'read.js');
    await ledgerCounts();
    looks();
    expect(tablesBytes()).toBeGreaterThan(empty + 6 * 50);
  });

  it('are looked for again only when there are a good deal more of them', async () => {
    const bytesWith = async (count: number, file: string): Promise<number> => {
      plant(count, file);
      await ledgerCounts();
      looks();
      return tablesBytes();
    };
    const before = await bytesWith(320, 'more.js');
    expect(await bytesWith(8, 'few.js')).toBe(before);
    expect(await bytesWith(80, 'many.js')).toBeGreaterThan(before + 80 * 50);
  });

  it('are read as what they were written from, profile after profile', async () => {
    plant(5, 'twice.js');
    const counts = planted();
    const first = await read(counts.map((count) => groups.of(count)));
    const second = await read(counts.map((count) => groups.of(count)).reverse());
    expect(first.samples.map(({ stack: [top], labels }) => ({ file: top!.file, labels }))).toEqual(
      counts.map(({ id, kind, stack: [top] }) => ({ file: top!.file, labels: { kind, group: id } })),
    );
    expect(second.samples).toEqual([...first.samples].reverse());
  });

  it('are written anew with another stack, and labelled anew when they become estimates', async () => {
    plant(1, 'moved.js');
    const [count] = planted();
    const before = groups.of(count!);
    expect(groups.of(count!)).toBe(before);
    const moved = { ...count!, stack: [{ ...count!.stack[0]!, file: 'src/moved.ts', line: 70 }] };
    const [sample] = (await read([groups.of(moved)])).samples;
    expect(sample!.stack).toEqual([expect.objectContaining({ file: 'src/moved.ts', line: 70 })]);
    const bytes = tablesBytes();
    for (const exact of [false, true, false]) {
      const [labelled] = (await read([groups.of({ ...moved, exact })])).samples;
      expect(labelled!.labels['estimate']).toBe(exact ? undefined : 'yes');
    }
    // Two texts, however often.
    expect(tablesBytes() - bytes).toBeLessThan(20);
  });

  it('begin anew when most of what is written is out of date, and with another run of the ledger', () => {
    plant(1, 'again.js');
    const [count] = planted();
    const moves = (from: number, to: number): void => {
      for (let line = from; line < to; line++) {
        groups.keepUp(ledgerStatus());
        groups.of({ ...count!, stack: [{ ...count!.stack[0]!, line }] });
      }
    };
    groups.keepUp(ledgerStatus());
    const { tables } = groups;
    moves(1, 900);
    expect(groups.tables).toBe(tables);
    moves(900, 1_100);
    expect(groups.tables).not.toBe(tables);

    stopLedger();
    groups.keepUp(ledgerStatus());
    const stopped = groups.tables;
    startLedger();
    plant(1, 'other-run.js');
    groups.keepUp(ledgerStatus());
    expect(groups.tables).not.toBe(stopped);
    expect(tablesBytes()).toBeLessThan(50);
  });
});
