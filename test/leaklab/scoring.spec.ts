import { scoreControl } from '../../leaklab/runner/control-score.js';
import { scoreForecast } from '../../leaklab/runner/forecast-score.js';
import { scoreLeak } from '../../leaklab/runner/leak-score.js';
import { plantIn } from '../../leaklab/runner/plant.js';
import { scorePlace, scoreText } from '../../leaklab/runner/place-score.js';
import { rateAt } from '../../leaklab/runner/request-rate.js';
import { targetsOf } from '../../leaklab/runner/targets.js';
import type { ScenarioResult } from '../../leaklab/runner/scenario-run.js';
import { look, observation, scenario, verdict } from './support.js';

const plant = scenario.plant!;
const at = (file: string, line: number) => ({ file, line });
const site = (line: number, file = '99-made-up.cjs') => ({ file, line, column: 1, function: null });

describe('the plant', () => {
  const inFunction = (text: string) => plantIn('x.ts', text)?.function;

  it('is the one marked line', () => {
    expect(plantIn('x.cjs', 'const a = 1;\nleak(); // plant\n')).toMatchObject({ line: 2, function: null });
    expect(plantIn('x.cjs', 'const a = "// plant";\n// plants grow\n')).toBeNull();
    expect(() => plantIn('x.cjs', 'a(); // plant\nb(); // plant\n')).toThrow('lines 1, 2');
  });

  it('belongs to the innermost function with a name', () => {
    expect(inFunction('function a() {\n  list.map((x) => {\n    leak(x); // plant\n  });\n}\n')).toEqual({
      name: 'a',
      firstLine: 1,
      lastLine: 5,
    });
    expect(inFunction('const a = async () => {\n  leak(); // plant\n};\n')).toMatchObject({ name: 'a' });
    expect(inFunction('class A {\n  b() {\n    leak(); // plant\n  }\n}\n')).toMatchObject({ name: 'b', firstLine: 2 });
    expect(inFunction('class A {\n  constructor() {\n    leak(); // plant\n  }\n}\n')).toMatchObject({ name: 'A' });
  });
});

describe('the score of a place', () => {
  it.each([
    ['exact', at('anywhere/99-made-up.cjs', 10)],
    ['function', at('99-made-up.cjs', 8)],
    ['function', at('99-made-up.cjs', 14)],
    ['file', at('99-made-up.cjs', 15)],
    ['wrong', at('98-made-up.cjs', 10)],
    ['none', null],
  ])('%s: %j', (score, place) => {
    expect(scorePlace(place, plant)).toBe(score);
  });

  it('is that of the best place in a text', () => {
    expect(scoreText('TCP x 60\n  at f (/lab/99-made-up.cjs:30:2)\n  at g (/lab/99-made-up.cjs:10:7)', plant)).toBe(
      'exact',
    );
    expect(scoreText('at g (/lab/99-made-up.cjs:9:7)', plant)).toBe('function');
    expect(scoreText('main module 99-made-up.cjs', plant)).toBe('file');
    expect(scoreText('at g (/lab/98-made-up.cjs:10:7)', plant)).toBe('none');
  });
});

describe('the score of a leak', () => {
  it('is found at the first look that says leaking', () => {
    const growing = verdict({ state: 'growing' });
    const score = scoreLeak(
      scenario,
      observation([look(1), look(2, [growing]), look(3, [verdict({ perCommand: 0.98 })])]),
    );
    expect(score).toMatchObject({
      detected: true,
      place: 'exact',
      firstVerdictMs: 3_000,
      leakedThen: 30,
      perCommand: 0.98,
      perCommandPlanted: 1,
      wronglyBlamed: [],
    });
  });

  it('is missed when nothing is called leaking', () => {
    expect(scoreLeak(scenario, observation([look(1, [verdict({ state: 'growing' })])]))).toMatchObject({
      detected: false,
      place: 'none',
      firstVerdictMs: null,
    });
  });

  it('is missed when the first that is blamed is innocent, and what else is blamed is told', () => {
    const innocent = verdict({ id: 'two', kind: 'timer', site: site(1, 'other.cjs') });
    const missed = scoreLeak(scenario, observation([look(1, [innocent, verdict()])]));
    expect(missed).toMatchObject({ detected: false, place: 'wrong', wronglyBlamed: ['timer other.cjs:1'] });
    const found = scoreLeak(scenario, observation([look(1, [verdict(), innocent])]));
    expect(found).toMatchObject({ detected: true, place: 'exact', wronglyBlamed: ['timer other.cjs:1'] });
  });

  it('prefers a verdict with a place to one about the whole process, and takes the latter for want of one', () => {
    const heap = verdict({ id: 'heap', subject: 'heap', kind: 'heap.floor', site: null });
    const later = [look(1, [heap]), look(2, [heap, verdict({ site: site(8) })])];
    expect(scoreLeak(scenario, observation(later))).toMatchObject({
      place: 'function',
      firstVerdictMs: 1_000,
      namedMs: 2_000,
    });
    expect(scoreLeak(scenario, observation([look(1, [heap])]))).toMatchObject({ detected: true, place: 'none' });
  });
});

describe('the score of a control', () => {
  it('counts what was ever called leaking, and what still is', () => {
    const [one, two] = [verdict(), verdict({ id: 'two', sentence: 'that too' })];
    const looks = [look(1, [one]), look(2, [one, two]), look(3, [{ ...one, state: 'retracted' }, two])];
    expect(scoreControl(observation(looks))).toEqual({
      alarms: 2,
      retracted: 1,
      standing: 1,
      sentences: ['it leaks', 'that too'],
    });
    expect(scoreControl(observation([look(1, [verdict({ state: 'growing' })])]))).toMatchObject({
      alarms: 0,
      standing: 0,
    });
  });

  it('takes the last answer for the end when the program did not answer any more', () => {
    expect(scoreControl(observation([look(1, [verdict()]), look(2, [], { state: null })]))).toMatchObject({
      standing: 1,
    });
  });
});

describe('the error of a time to a limit', () => {
  const limit = (etaMs: number | null) => ({
    name: 'cgroup memory',
    bytes: 140 * 2 ** 20,
    etaMs,
    etaLowMs: null,
    etaHighMs: null,
  });
  /** 1 MiB a second: 100 MiB are left at the beginning. */
  const run = (etaAt: (second: number) => number | null) =>
    Array.from({ length: 30 }, (_, second) => look(second, [verdict({ limit: limit(etaAt(second)) })]));

  it('is none when it was right all the time', () => {
    expect(
      scoreForecast(
        run((second) => (100 - second) * 1_000),
        null,
      ),
    ).toBeCloseTo(0, 5);
  });

  it('is the median share of the truth by which it was wrong', () => {
    expect(
      scoreForecast(
        run((second) => (100 - second) * 1_200),
        null,
      ),
    ).toBeCloseTo(0.2, 5);
    expect(
      scoreForecast(
        run((second) => (second < 4 ? 1 : (100 - second) * 1_000)),
        null,
      ),
    ).toBeCloseTo(0, 5);
  });

  it('is held against the death of the process where it died', () => {
    expect(
      scoreForecast(
        run((second) => (50 - second) * 1_000),
        50_000,
      ),
    ).toBeCloseTo(0, 5);
    expect(
      scoreForecast(
        run((second) => (100 - second) * 1_000),
        50_000,
      ),
    ).toBeGreaterThan(1);
  });

  it('is not known where none was told, or what would be needed is not measured', () => {
    expect(
      scoreForecast(
        run(() => null),
        null,
      ),
    ).toBeNull();
    const unknown = run(() => 1_000).map((each) => ({
      ...each,
      verdicts: [verdict({ limit: { ...limit(1_000), name: 'a declared ceiling' } })],
    }));
    expect(scoreForecast(unknown, null)).toBeNull();
  });
});

describe('the load', () => {
  it('is level, square or a sine', () => {
    expect(rateAt({ rate: 7, connections: 'kept' }, 123)).toBe(7);
    const square = { shape: 'square', low: 1, high: 9, periodSeconds: 10, connections: 'kept' } as const;
    expect([0, 4_999, 5_000, 9_999, 10_000].map((ms) => rateAt(square, ms))).toEqual([1, 1, 9, 9, 1]);
    const sine = { ...square, shape: 'sine' } as const;
    expect(rateAt(sine, 0)).toBeCloseTo(1);
    expect(rateAt(sine, 5_000)).toBeCloseTo(9);
    expect(rateAt(sine, 2_500)).toBeCloseTo(5);
  });
});

describe('the targets', () => {
  const base = {
    seconds: 60,
    limited: true,
    commands: 1,
    errors: {},
    diedAtMs: null,
    ledgerShare: 0,
    ledgerBytes: 0,
    cost: null,
  };
  const leakResult = (over: Partial<ScenarioResult['scenario']>, looks = [look(1, [verdict()])]): ScenarioResult => {
    const of = { ...scenario, ...over };
    return { ...base, scenario: of, leak: scoreLeak(of, observation(looks)), control: null };
  };
  const met = (results: ScenarioResult[]) => targetsOf(results).map((target) => target.met);

  it('are kept, missed, or not said anything about', () => {
    expect(met([])).toEqual([null, null, null, null, null, null, null]);
    const twenty = Array.from({ length: 20 }, (_, index) => leakResult({ row: String(index + 1) }));
    expect(met(twenty)[0]).toBe(true);
    const missed = [look(1)];
    expect(met([...twenty.slice(0, 19), leakResult({ row: '20' }, missed)])[0]).toBe(true);
    expect(met([...twenty.slice(0, 18), leakResult({ row: '19' }, missed), leakResult({ row: '20' }, missed)])[0]).toBe(
      false,
    );
    // A row is found only when each of its scenarios is.
    expect(met([...twenty, leakResult({ row: '1' }, missed), leakResult({ row: '2' }, missed)])[0]).toBe(false);
  });

  it('hold H to its line, M to its function, and times to their loads', () => {
    const near = [look(1, [verdict({ site: site(9) })])];
    expect(met([leakResult({ class: 'H' }, near), leakResult({ class: 'M' }, near)]).slice(1, 3)).toEqual([
      false,
      true,
    ]);
    const late = [look(1), look(16, [verdict()])];
    expect(met([leakResult({ load: { rate: 100, connections: 'kept' } }, late)])[4]).toBe(false);
    expect(met([leakResult({ load: { rate: 0.02, connections: 'kept' } }, late)]).slice(4, 6)).toEqual([null, true]);
  });
});
