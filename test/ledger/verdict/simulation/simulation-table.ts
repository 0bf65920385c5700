import type { Shape } from './shapes';
import { type Outcome, simulate } from './simulate';

const HEAD = [
  'shape',
  'runs',
  'told as leaking',
  'still so at the end',
  'share of the time',
  'leaking after',
  'growing after',
];

/** One line of the table: all runs of one shape. */
export function simulationRow(shape: Shape, seeds: number): string[] {
  const outcomes = Array.from({ length: seeds }, (_, seed) => simulate(shape, seed + 1));
  const told = outcomes.filter(({ leakingAfter }) => leakingAfter !== null);
  const standing = outcomes.filter(({ last }) => last === 'leaking');
  const share = outcomes.reduce((sum, { leakingShare }) => sum + leakingShare, 0) / seeds;
  return [
    `${shape.isLeak ? '**leak** ' : ''}${shape.name}`,
    `${seeds} × ${shape.hours} h`,
    `${told.length}`,
    `${standing.length}`,
    `${(share * 100).toFixed(1)} %`,
    timesText(told, ({ leakingAfter }) => leakingAfter),
    timesText(outcomes, ({ growingAfter }) => growingAfter),
  ];
}

export function simulationTable(rows: readonly string[][], seeds: number): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const intro = `Written by \`npm run verdicts\` with ${seeds} seeds per shape. Times are median and longest, in simulated time.`;
  return [intro, '', line(HEAD), line(HEAD.map(() => '---')), ...rows.map(line)].join('\n');
}

function timesText(outcomes: readonly Outcome[], of: (outcome: Outcome) => number | null): string {
  const times = outcomes.flatMap((outcome) => of(outcome) ?? []).sort((a, b) => a - b);
  if (times.length === 0) return '–';
  return `${timeText(times[times.length >> 1]!)}, ${timeText(times[times.length - 1]!)}`;
}

function timeText(seconds: number): string {
  return seconds < 120 ? `${Math.round(seconds)} s` : `${(seconds / 60).toFixed(1)} min`;
}
