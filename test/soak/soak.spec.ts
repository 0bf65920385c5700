import { join } from 'node:path';
import { expectNoLeaks } from 'mu-commander/jest';
import { writeSection } from '../support/page-section.js';
import { soakSection } from './soak-page.js';
import { runSoak, type SoakReport } from './soak-run.js';

/** `npm run soak` sends a million commands and makes a hundred thousand runs. */
const commandsCount = Number(process.env.SOAK_COMMANDS ?? 20_000);
const runsCount = Number(process.env.SOAK_RUNS ?? 1_000);
const readingsCount = Number(process.env.SOAK_READINGS ?? 5);
const seed = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 2 ** 31));
const distDir = process.env.DIST_DIR ?? join(__dirname, '../../dist');
/** Starting, resting between the loads and stopping; and what a thousand commands may take on a busy machine. */
const AROUND_MS = 240_000;
const PER_THOUSAND_MS = 4_000;

let report: SoakReport;
beforeAll(
  async () => {
    const say = (line: string) => process.stdout.write(`soak, seed ${seed}: ${line}\n`);
    report = await runSoak({ commandsCount, runsCount, readingsCount, seed, distDir, say });
    const section = soakSection(
      report,
      `SOAK_COMMANDS=${commandsCount} SOAK_RUNS=${runsCount} npm run soak`,
      new Date(),
    );
    if (process.env.SOAK_WRITE === 'true') writeSection(join(__dirname, '../../docs/reliability.md'), 'soak', section);
    say(`\n${section}`);
  },
  AROUND_MS + (commandsCount / 1_000) * PER_THOUSAND_MS,
);

it('did what was asked, and nobody got a wrong answer', () => {
  expect(report.commandsCount).toBeGreaterThanOrEqual(commandsCount);
  expect(report.runsCount).toBeGreaterThanOrEqual(runsCount);
  expect(report.troubles).toEqual([]);
  expect(report.diagnosticsReadsCount).toBeGreaterThan(20);
});

it('handles, lines, heap, RSS and the memory of Redis stayed level', () => {
  expect(report.flatness.filter(({ isFlat }) => !isFlat)).toEqual([]);
});

it('the service itself saw nothing leak', () => {
  expect(report.verdicts.filter((verdict) => verdict.startsWith('leaking'))).toEqual([]);
});

it('the callers have left nothing behind', async () => {
  await expectNoLeaks();
});
