import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { SLOW_SUITES } from '../../support/slow-suites';

const checkout = resolve(__dirname, '../../..');
/** For workers that start on a machine with much else to do. */
const SLOW = '{ timeoutMs: 90_000 }';
const first = (waits: boolean) => Object.keys(SLOW_SUITES).find((name) => SLOW_SUITES[name]!.waits === waits)!;

it('every suite that is said to be slow exists', () => {
  expect(Object.keys(SLOW_SUITES).filter((name) => !existsSync(join(checkout, name)))).toEqual([]);
});

describe('suites in two lanes', () => {
  const root = mkdtempSync(join(tmpdir(), 'commander-lanes-'));
  const marks = join(root, 'marks');
  afterAll(() => rmSync(root, { recursive: true }));

  /** Begins, says as which worker, and ends when the slow suite that computes has found what it looks for. */
  const suite = (name: string, then: string): void => {
    const file = join(root, name);
    mkdirSync(dirname(file), { recursive: true });
    const support = (module: string): string => JSON.stringify(join(checkout, 'test/support', module));
    writeFileSync(
      file,
      `const { existsSync, readdirSync, writeFileSync } = require('node:fs');
      const { eventually } = require(${support('eventually')});
      const { workerNumber } = require(${support('lane')});
      const marks = ${JSON.stringify(marks)};
      it('runs beside the others', async () => {
        writeFileSync(marks + '/' + ${JSON.stringify(name.replaceAll('/', '_'))}, String(workerNumber()));
        ${then}
      }, 120_000);`,
    );
  };

  it('runs one that waits beside those that compute, the slow ones first, each in a worker of another number', async () => {
    mkdirSync(marks);
    const untilSeen = `await eventually(() => existsSync(marks + '/seen'), ${SLOW});`;
    suite(first(true), untilSeen);
    // The smallest file: jest alone would run it last.
    suite(
      first(false),
      `await eventually(() => readdirSync(marks).length >= 3, ${SLOW});
      writeFileSync(marks + '/seen', readdirSync(marks).join());`,
    );
    for (const name of ['test/one.spec.ts', 'test/other.spec.ts']) suite(name, `${untilSeen} // ${'x'.repeat(10_000)}`);
    writeFileSync(
      join(root, 'jest.config.json'),
      JSON.stringify({
        testMatch: ['<rootDir>/test/**/*.spec.ts'],
        transform: {
          '\\.ts$': [join(checkout, 'node_modules/ts-jest'), { tsconfig: join(checkout, 'tsconfig.json') }],
        },
        runner: join(checkout, 'test/support/lanes.runner.ts'),
      }),
    );
    const jest = join(checkout, 'node_modules/jest/bin/jest.js');
    const code = await new Promise<unknown>((done) => {
      const { JEST_WORKER_ID: _worker, ...env } = process.env;
      const options = { cwd: root, env };
      execFile(process.execPath, [jest, '--maxWorkers=2', '--cache=false'], options, (error, _out, text) =>
        done(error ? text : 0),
      );
    });
    expect(code).toBe(0);
    // When three ran, the fourth had to wait for one of its own lane.
    const running = readFileSync(join(marks, 'seen'), 'utf8').split(',');
    expect(running).toHaveLength(3);
    expect(running).toEqual(
      expect.arrayContaining([first(true), first(false)].map((name) => name.replaceAll('/', '_'))),
    );
    const numbers = running.map((name) => readFileSync(join(marks, name), 'utf8'));
    expect(new Set(numbers).size).toBe(3);
    expect(readdirSync(marks)).toHaveLength(5);
  }, 150_000);
});
