import { join } from 'node:path';
import { writeSection } from '../support/page-section.js';
import { type CellReport, runCell } from './cell.js';
import { faults } from './faults.js';
import { faultsSection } from './faults-page.js';

/** `npm run faults` tries all; FAULTS=redis/slow,agent/lie some. Without it two; commanders are killed and frozen in `test/guarantees`. */
const SMALL_HALF = 'redis/READONLY,agent/lie';
const wanted = process.env.FAULTS ?? SMALL_HALF;
const seed = Number(process.env.FAULTS_SEED ?? Math.floor(Math.random() * 2 ** 31));
const distDir = process.env.DIST_DIR ?? join(__dirname, '../../dist');
const CELL_TIMEOUT_MS = 300_000;
const SHOWN_COUNT = 20;

const chosen = faults.filter(
  ({ group, name }) => wanted === 'all' || wanted.split(',').some((one) => one === group || one === `${group}/${name}`),
);
const reports: CellReport[] = [];
const startedAt = performance.now();

afterAll(() => {
  const section = faultsSection(reports, {
    command: `FAULTS_SEED=${seed} npm run faults`,
    seed,
    date: new Date(),
    lastedMs: performance.now() - startedAt,
  });
  if (process.env.FAULTS_WRITE === 'true')
    writeSection(join(__dirname, '../../docs/reliability.md'), 'faults', section);
  process.stdout.write(`faults, seed ${seed}:\n${section}\n`);
});

it('there is something to try', () => {
  expect(chosen.length).toBeGreaterThan(0);
});

it.each(chosen.map((fault) => [fault.group, fault.name, fault] as const))(
  '%s, %s: nothing acknowledged is lost, no due time is missed or doubled, and everything goes on',
  async (_group, _name, fault) => {
    const report = await runCell(fault, seed, distDir);
    reports.push(report);
    expect(report.violations.slice(0, SHOWN_COUNT)).toEqual([]);
    // The cell was one: all of its workloads were at work.
    expect(report.commands.acknowledgedCount).toBeGreaterThan(50);
    expect(report.dueTimes.demandedCount).toBeGreaterThan(50);
    expect(report.longRunsCount).toBeGreaterThan(5);
  },
  CELL_TIMEOUT_MS,
);
