import { join } from 'node:path';
import { type ChaosReport, runChaos } from './chaos-run.js';

const minutes = Number(process.env.GUARANTEES_MINUTES ?? 1);
const seed = Number(process.env.GUARANTEES_SEED ?? Math.floor(Math.random() * 2 ** 31));
const distDir = process.env.DIST_DIR ?? join(__dirname, '../../dist');
const SETUP_AND_SETTLE_MS = 240_000;

let report: ChaosReport;
beforeAll(
  async () => {
    report = await runChaos({ seed, durationMs: minutes * 60_000, distDir, say: (line) => console.log(line) });
  },
  minutes * 60_000 + SETUP_AND_SETTLE_MS,
);

it('x', () => {
  const sum = new Map<string, number>();
  for (const [kind, audits] of report.byKind) {
    const c = { demanded: 0, fired: 0, late: 0, skipped: '', missed: '' };
    for (const { counts } of audits) {
      c.demanded += counts.demanded;
      c.fired += counts.fired;
      c.late += counts.late;
      c.skipped += JSON.stringify([...counts.skipped]);
      c.missed += JSON.stringify([...counts.missed]);
    }
    sum.set(kind, c as never);
  }
  console.log(
    seed,
    sum,
    report.runs,
    report.journal.recoveries,
    report.journal.counts(),
    report.boots,
    report.settledMs,
    report.repairsCount,
    report.resultReadsCount,
    report.journal.troubles,
  );
  expect(report.violations.slice(0, 50)).toEqual([]);
});
