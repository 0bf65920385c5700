import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FIXTURES = join(__dirname, 'fixtures');
const JEST = require.resolve('jest/bin/jest');

export interface JestRun {
  /** Whether jest ended by itself, with what. */
  code: number | null;
  success: boolean;
  /** Of the whole file. */
  message: string;
  tests: { title: string; status: string; failureMessages: string[] }[];
}

/** Runs one fixture with jest in a process of its own. */
export async function runJest(fixture: string, env: Record<string, string> = {}): Promise<JestRun> {
  const child = spawn(
    process.execPath,
    [JEST, '--config', join(FIXTURES, 'jest.config.cjs'), '--json', '-i', fixture],
    {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const deadline = setTimeout(() => child.kill('SIGKILL'), 120_000);
  let json = '';
  let log = '';
  child.stdout.on('data', (chunk) => (json += String(chunk)));
  child.stderr.on('data', (chunk) => (log += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(deadline);
  if (!json) throw new Error(`jest ended with ${code}:\n${log}`);
  const { success, testResults } = JSON.parse(json) as {
    success: boolean;
    testResults: { message: string; assertionResults: JestRun['tests'] }[];
  };
  if (testResults.length !== 1) throw new Error(`${fixture} names ${testResults.length} files:\n${log}`);
  const [{ message, assertionResults: tests }] = testResults;
  return { code, success, message, tests };
}

/** Where a fixture says that it leaks: `kind file:line`, in order of lines. */
export function plantedIn(fixture: string): string[] {
  const file = `test/jest/fixtures/${fixture}.fixture.ts`;
  return readFileSync(join(__dirname, '../..', file), 'utf8')
    .split('\n')
    .flatMap((text, index) => {
      const kind = /\/\/ leak: (\S+)/.exec(text)?.[1];
      return kind ? [`${kind} ${file}:${index + 1}`] : [];
    });
}

/** What a message of jest blames, in the same form. */
export function blamedBy(message: string): string[] {
  const lines = [...message.matchAll(/^ *(\d+) (\S+) made at (\S+?):(\d+):\d+/gm)];
  return lines
    .flatMap(([, count, kind, file, line]) => Array.from({ length: Number(count) }, () => ({ kind, file, line })))
    .sort((one, other) => Number(one.line) - Number(other.line))
    .map(({ kind, file, line }) => `${kind} ${file}:${line}`);
}
