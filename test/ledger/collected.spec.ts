import { type KindCounter, type KindOptions } from '../../src/ledger/counting/kind-counter.js';
import { LedgerCore } from '../../src/ledger/ledger-core.js';
import { ledgerSettings } from '../../src/ledger/ledger.options.js';
import type { LedgerKind } from '../../src/ledger/ledger-snapshot.js';
import { SnapshotBuilder } from '../../src/ledger/snapshot-builder.js';

const DROPPED_COUNT = 10;

/**
 * Opens 7,000 a second for three seconds, lets ten of those be collected that are watched and stand for the most, and closes
 * all others one by one.
 */
function dropTenAndCloseTheRest(options: KindOptions): { least: number; open: number; end: LedgerKind } {
  let nowMs = 0;
  const core = new LedgerCore(
    ledgerSettings({ projectRoot: '/' }, () => '/'),
    () => nowMs,
  );
  const counter: KindCounter = core.counter('planted', options);
  const resources = new Set<object>();
  for (let second = 0; second < 3; second++) {
    for (let index = 0; index < 7_000; index++) {
      const resource = {};
      resources.add(resource);
      counter.open(resource);
    }
    nowMs += 1_000;
    core.tick();
  }
  const open = counter.live;
  const watched = [...counter.samples.list].sort((a, b) => b.weight - a.weight);
  for (const sample of watched.slice(0, DROPPED_COUNT)) {
    resources.delete(sample.ref.deref() as object);
    counter.collected(sample);
  }
  let least = counter.live;
  for (const resource of resources) {
    counter.close(resource);
    least = Math.min(least, counter.live);
  }
  const [end] = new SnapshotBuilder(core).kinds();
  core.release();
  return { least, open, end };
}

describe('what is collected while open, where only a share is watched', () => {
  it('never makes a count negative, and leaves the sum of what is open and what was dropped exact', () => {
    const { least, open, end } = dropTenAndCloseTheRest({});
    expect(open).toBe(21_000);
    expect(least).toBeGreaterThanOrEqual(0);
    expect(end).toMatchObject({ created: 21_000, closed: 21_000 - DROPPED_COUNT, exact: false });
    expect(end.live + end.collectedOpen).toBe(DROPPED_COUNT);
  });

  it('does not close more than there were, where collection is the normal end', () => {
    const { least, end } = dropTenAndCloseTheRest({ endsByCollection: true });
    expect(least).toBeGreaterThanOrEqual(0);
    expect(end).toMatchObject({ created: 21_000, collectedOpen: 0 });
    expect(end.live + end.closed).toBe(21_000);
  });
});
