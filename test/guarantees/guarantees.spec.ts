import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChaosReport, runChaos } from './chaos-run.js';
import { guaranteesPage } from './guarantees-page.js';
import { percentile, RECOVERY_PROMISE_MS, recoveryFigures, tickFigures } from './report-figures.js';

/** How long the fleet is disturbed; `npm run guarantees` does it for ten minutes. */
const minutes = Number(process.env.GUARANTEES_MINUTES ?? 1);
const seed = Number(process.env.GUARANTEES_SEED ?? Math.floor(Math.random() * 2 ** 31));
const distDir = process.env.DIST_DIR ?? join(__dirname, '../../dist');
/** Starting before, settling and counting afterwards. */
const AROUND_MS = 240_000;
const SHOWN_COUNT = 40;
let report: ChaosReport;
let page: string;
beforeAll(
  async () => {
    const say = (line: string) => process.stdout.write(`guarantees, seed ${seed}: ${line}\n`);
    report = await runChaos({ seed, durationMs: minutes * 60_000, distDir, say });
    page = guaranteesPage(report, `GUARANTEES_MINUTES=${minutes} npm run guarantees`);
    if (process.env.GUARANTEES_WRITE === 'true') writeFileSync(join(__dirname, '../../docs/guarantees.md'), page);
    say(`\n${page}`);
  },
  minutes * 60_000 + AROUND_MS,
);

it('no guarantee was violated', () => {
  expect(report.violations.slice(0, SHOWN_COUNT)).toEqual([]);
});

it('fired, late, skipped and missed ticks sum to what was demanded', () => {
  const { kinds, total } = tickFigures(report);
  for (const { demanded, fired, late, skipped, missed } of [...kinds, total]) {
    const unfired = [...skipped.values(), ...missed.values()].reduce((sum, count) => sum + count, 0);
    expect(fired + late + unfired).toBe(demanded);
  }
  // A schedule that fires every 250 ms alone demands this many: the run has really happened.
  expect(total.demanded).toBeGreaterThan(minutes * 240);
});

it('every run ended, results only moved forward, and nothing was executed twice without a cause', () => {
  expect(report.runs).toMatchObject({ neverEndedCount: 0, uncausedCount: 0, wrongResultsCount: 0 });
  expect(report.resultsBackwardsCount).toBe(0);
  expect(report.resultReadsCount).toBeGreaterThan(0);
});

it('after each kill, freeze, restart and loss the ticks and runs it hit were taken over within 10 s', () => {
  for (const { kind, slow, ...figures } of recoveryFigures(report)) {
    for (const name of ['firstTickMs', 'overdueTicksMs', 'takeoverMs'] as const) {
      const isInTime = percentile(figures[name], 100) <= RECOVERY_PROMISE_MS;
      expect({ kind, name, isInTime: isInTime || { took: figures[name], slow } }).toEqual({
        kind,
        name,
        isInTime: true,
      });
    }
  }
  expect(report.journal.recoveries.some(({ takenOverCount }) => takenOverCount > 0)).toBe(true);
});

it('nothing went wrong in the harness', () => {
  expect(report.journal.troubles).toEqual([]);
});
