import { closeSync, openSync } from 'node:fs';
import { LedgerCore } from '../../../src/ledger/ledger-core';
import { ledgerSettings } from '../../../src/ledger/ledger.options';
import { DeclaredCeilings } from '../../../src/ledger/verdict/declared-ceilings';
import { LeakWatch } from '../../../src/ledger/watch/leak-watch';
import { WorkCounts } from '../../../src/ledger/watch/work-counts';

const FILES = 300;

describe('descriptors that nothing accounts for', () => {
  it('are counted at one moment, also where that is done rarely because it takes long', () => {
    let nowMs = 0;
    // Two looks at the clock are 5 ms apart: too long for a listing at every tick.
    const core = new LedgerCore(
      ledgerSettings({}, () => '/'),
      () => (nowMs += 5),
    );
    const watch = new LeakWatch(core, new WorkCounts(), new DeclaredCeilings());
    const files = core.counter('file', { fds: 1 });
    const unexplained = (): number => watch.findings().find(({ id }) => id === 'fds')!.live;
    watch.start();
    try {
      const before = unexplained();
      const opened = Array.from({ length: FILES }, () => ({ fd: openSync('/dev/null', 'r') }));
      opened.forEach((file) => files.open(file));
      nowMs += 60_000;
      watch.tick(nowMs);
      expect(Math.abs(unexplained() - before)).toBeLessThan(FILES / 10);
      for (const file of opened) {
        closeSync(file.fd);
        files.close(file);
      }
      nowMs += 5_000;
      watch.tick(nowMs);
      expect(Math.abs(unexplained() - before)).toBeLessThan(FILES / 10);
    } finally {
      watch.stop();
      core.release();
    }
  });
});
