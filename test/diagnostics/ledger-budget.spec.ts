import { startLedger, stopLedger, trackResource } from '../../src/ledger/index';
import { LedgerCore } from '../../src/ledger/ledger-core';
import { ledgerSettings } from '../../src/ledger/ledger.options';
import { eventually } from '../support/eventually';
import { httpGet } from '../support/http-get';
import { DiagnosticsApp } from './support/diagnostics-app';

describe('a ledger that is over its budget', () => {
  it('halves its captures each window until it is within, and doubles them again up to its setting', () => {
    let nowMs = 0;
    let captureMs = 0;
    let made = 0;
    /** Two looks at the clock around a capture are that far apart. */
    const core = new LedgerCore(
      ledgerSettings({ capturesPerSecond: 16, captureBurst: 16, budgetShare: 0.01 }, () => '/'),
      () => (nowMs += captureMs),
    );
    const counter = core.counter('budget');
    /** One second, in which resources are made fast. */
    const second = (): number => {
      for (let index = 0; index < 200; index++, made++) counter.open({});
      nowMs += 1_000;
      core.tick();
      return core.capturesPerSecondNow;
    };
    /** Every value it took until it was `wanted`. */
    const steps = (wanted: number): number[] => {
      const taken = [core.capturesPerSecondNow];
      for (let count = 0; count < 500 && taken.at(-1) !== wanted; count++) {
        const now = second();
        if (now !== taken.at(-1)) taken.push(now);
      }
      return taken;
    };
    captureMs = 20;
    expect(steps(1)).toEqual([16, 8, 4, 2, 1]);
    expect(counter.gate.targetPerSecond).toBe(1);
    captureMs = 0;
    expect(steps(16)).toEqual([1, 2, 4, 8, 16]);
    expect(counter.gate.targetPerSecond).toBe(16);
    // However few stacks it takes, it counts all.
    expect(counter.created).toBe(made);
  });

  it('says so in /diagnostics', async () => {
    const timer = setInterval(() => trackResource('budget', {}), 5);
    startLedger({ capturesPerSecond: 16, budgetShare: 1e-9 });
    const served = await DiagnosticsApp.start();
    try {
      await eventually(
        async () => {
          const { ledger } = (await httpGet(served.url('/diagnostics'))).json();
          expect(ledger.running).toBe(true);
          expect(ledger.costShare).toBeGreaterThan(1e-9);
          expect(ledger.memoryBytes).toBeGreaterThan(0);
          expect(ledger.capturesPerSecond).toBe(8);
        },
        { timeoutMs: 20_000, intervalMs: 200 },
      );
    } finally {
      clearInterval(timer);
      await served.app.close();
      stopLedger();
    }
  });
});
