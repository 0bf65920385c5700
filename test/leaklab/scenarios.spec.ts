import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readScenario, readScenarios } from '../../leaklab/runner/scenario.js';

const checkout = resolve(__dirname, '../..');
const scenarios = readScenarios(join(checkout, 'leaklab/scenarios'));

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'leaklab-scenarios-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function written(text: string): string {
  const file = join(directory, 'made-up.cjs');
  writeFileSync(file, text);
  return file;
}

describe('the public set', () => {
  it('has every row of leaks and controls, each plant in a function with a name', () => {
    const rows = new Set(scenarios.map(({ row }) => row));
    expect([...rows].sort()).toEqual(
      [...Array.from({ length: 20 }, (_, index) => String(index + 1)), 'C1', 'C2', 'C3', 'C4', 'C5'].sort(),
    );
    expect(scenarios.filter(({ plant }) => plant && !plant.function)).toEqual([]);
  });

  it('says what leaks of each, and how much: the score needs it', () => {
    const leaks = scenarios.filter(({ plant }) => plant);
    expect(leaks.filter(({ perCommand, perSecond }) => perCommand === undefined && perSecond === undefined)).toEqual(
      [],
    );
    expect(leaks.filter((each) => each.class === 'H' && each.kind === undefined)).toEqual([]);
  });

  it('takes ten minutes in its quick half, two at a time', () => {
    const seconds = scenarios.reduce((sum, each) => sum + (each.seconds.quick ?? 0), 0);
    expect(seconds).toBeGreaterThan(500);
    expect(seconds).toBeLessThan(1_120);
  });
});

describe('a scenario', () => {
  const head = 'row: 1\nclass: H\ntitle: t\nread: r\nload: { rate: 1 }\nseconds: { all: 10 }\n';

  it('is refused with the name of its file and what is wrong', () => {
    expect(() => readScenario(written('// nothing'))).toThrow(/made-up\.cjs does not begin with/);
    expect(() => readScenario(written(`/* leaklab\n${head}speed: 1\n*/\nleak(); // plant\n`))).toThrow(
      /made-up[\s\S]*speed/,
    );
    expect(() => readScenario(written(`/* leaklab\n${head}*/\nleak();\n`))).toThrow('a control has no line marked');
    expect(readScenario(written(`/* leaklab\n${head}*/\nleak(); // plant\n`))).toMatchObject({
      id: 'made-up',
      class: 'H',
    });
  });
});
