import type { ScenarioResult } from './scenario-run.js';

/** One promise about the public half, and whether this run kept it. Null: this run says nothing about it. */
export interface Target {
  readonly text: string;
  readonly met: boolean | null;
  readonly found: string;
}

const FAST_PER_SECOND = 100;
const HOURLY_PER_SECOND = 0.05;

/** The targets of the lab, held against what was measured. Rows count once, and only when all of their scenarios do. */
export function targetsOf(results: readonly ScenarioResult[]): Target[] {
  const leaks = results.filter(({ leak }) => leak !== null);
  const rows = byRow([...leaks, ...results.filter(({ scenario }) => scenario.row === '20')]);
  const found = [...rows.values()].filter((ofRow) => ofRow.every(isFound)).length;
  const controls = results.filter(({ control }) => control !== null);
  const standing = controls.reduce((sum, { control }) => sum + (control?.standing ?? 0), 0);
  return [
    {
      text: 'at least 19 of the 20 rows that leak are found (row 20 by not growing)',
      met: rows.size < 20 ? (found < rows.size ? false : null) : found >= 19,
      found: `${found} of ${rows.size}`,
    },
    placeTarget('the exact line of every H', leaks, 'H', ['exact']),
    placeTarget('the function of every M, or its line', leaks, 'M', ['exact', 'function']),
    {
      text: 'no alarm stands on a control',
      met: controls.length === 0 ? null : standing === 0,
      found: `${standing} of ${controls.length} controls`,
    },
    timeTarget('first verdict within 15 s at 100 requests per second, each leaking one', leaks, 15, (rate, kind) => {
      return rate >= FAST_PER_SECOND && kind === 'H';
    }),
    timeTarget('within 10 min at 70 per hour', leaks, 600, (rate) => rate <= HOURLY_PER_SECOND),
    etaTarget(leaks),
  ];
}

function byRow(results: readonly ScenarioResult[]): Map<string, ScenarioResult[]> {
  const rows = new Map<string, ScenarioResult[]>();
  for (const result of results) rows.set(result.scenario.row, [...(rows.get(result.scenario.row) ?? []), result]);
  return rows;
}

function isFound({ leak, control }: ScenarioResult): boolean {
  return leak ? leak.detected : control?.standing === 0;
}

function placeTarget(text: string, leaks: readonly ScenarioResult[], kind: string, wanted: string[]): Target {
  const asked = leaks.filter(({ scenario }) => scenario.class === kind);
  const kept = asked.filter(({ leak }) => leak?.detected && wanted.includes(leak.place));
  return {
    text,
    met: asked.length === 0 ? null : kept.length === asked.length,
    found: `${kept.length} of ${asked.length}`,
  };
}

function timeTarget(
  text: string,
  leaks: readonly ScenarioResult[],
  seconds: number,
  wants: (rate: number, kind: string) => boolean,
): Target {
  const asked = leaks.filter(({ scenario }) => 'rate' in scenario.load && wants(scenario.load.rate, scenario.class));
  const times = asked.map(({ leak }) => (leak?.firstVerdictMs ?? Infinity) / 1_000);
  return {
    text,
    met: times.length === 0 ? null : times.every((time) => time <= seconds),
    found: times.map((time) => (Number.isFinite(time) ? `${Math.round(time)} s` : 'never')).join(', ') || 'not run',
  };
}

function etaTarget(leaks: readonly ScenarioResult[]): Target {
  const asked = leaks.filter(({ scenario }) => scenario.etaWithin !== undefined);
  const errors = asked.map(({ scenario, leak }) => ({
    within: scenario.etaWithin ?? 0,
    error: leak?.etaError ?? null,
  }));
  return {
    text: 'time to the limit within ±20 % on steady leaks',
    met: errors.length === 0 ? null : errors.every(({ error, within }) => error !== null && error <= within),
    found:
      errors.map(({ error }) => (error === null ? 'not told' : `±${Math.round(error * 100)} %`)).join(', ') ||
      'not run',
  };
}
