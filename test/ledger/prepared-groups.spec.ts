import { join } from 'node:path';
import type { Group } from '../../src/ledger/counting/group.js';
import { LedgerCore } from '../../src/ledger/ledger-core.js';
import { ledgerSettings } from '../../src/ledger/ledger.options.js';
import { SnapshotBuilder } from '../../src/ledger/snapshot-builder.js';

const ROOT = '/app';

/** One live resource made at a line of a compiled file, whose source nobody has looked up yet. */
function planted(): { core: LedgerCore; group: Group } {
  const core = new LedgerCore(
    ledgerSettings({}, () => ROOT),
    () => performance.now(),
  );
  const counter = core.counter('planted');
  const frame = { file: join(ROOT, 'dist', 'leak.js'), line: 7, column: 3, functionName: 'leak' };
  counter.openWith(counter.shareAt([frame]), {});
  const [group] = counter.groups.values();
  return { core, group: group! };
}

/** As the look ahead does: here the compiler had moved the line. */
function lookUp(core: LedgerCore): void {
  for (const location of core.unresolved.takeAll())
    location.original = { path: join(ROOT, 'src', 'leak.ts'), line: 70, column: 30 };
}

const inSource = { file: 'src/leak.ts', line: 70, column: 30, function: 'leak' };

describe('what is shown of a group', () => {
  it('is put together ahead, once its lines were looked up, and is the same for whoever asks', () => {
    const { core, group } = planted();
    core.prepareGroups();
    expect(group).toMatchObject({ id: null, shown: null });
    lookUp(core);
    core.prepareGroups();
    expect(group.id).toMatch(/^[0-9a-f]{12}$/);
    expect(group.shown).toMatchObject({ isFinal: true, site: inSource });
    const [read] = new SnapshotBuilder(core).counts();
    expect(read).toMatchObject({ id: group.id, site: inSource, live: 1 });
    expect(read!.stack).toBe(group.shown!.stack);
    expect(Object.isFrozen(read!.stack)).toBe(true);
  });

  it('is put together anew when its lines are looked up after somebody asked', () => {
    const { core, group } = planted();
    const [early] = new SnapshotBuilder(core).groups();
    expect(early).toMatchObject({ site: { file: 'dist/leak.js', line: 7 }, stack: [{ file: 'dist/leak.js' }] });
    lookUp(core);
    const [late] = new SnapshotBuilder(core).groups();
    expect(late).toMatchObject({ id: early!.id, site: inSource, stack: [inSource] });
    expect(group.shown!.isFinal).toBe(true);
  });

  it('is put together a thousand at a time', () => {
    const { core } = planted();
    for (let index = 0; index < 6; index++) {
      const counter = core.counter(`kind-${index}`);
      for (let line = 1; line <= 400; line++) {
        const frame = { file: join(ROOT, 'dist', 'leak.js'), line, column: 1, functionName: null };
        counter.openWith(counter.shareAt([frame]), {});
      }
    }
    lookUp(core);
    const prepared = (): number =>
      [...core.counters.values()].flatMap(({ groups }) => [...groups.values()]).filter(({ id }) => id !== null).length;
    const counts = Array.from({ length: 4 }, () => {
      core.prepareGroups();
      return prepared();
    });
    expect(counts).toEqual([1_000, 2_000, 2_401, 2_401]);
  });
});
