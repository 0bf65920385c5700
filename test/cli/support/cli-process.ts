import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { dieWithUs } from '../../support/die-with-us.js';

/** The build whose program runs; `npm test` makes it, another one can be named while working. */
const distDir = process.env.DIST_DIR ?? join(__dirname, '../../../dist');
const ENDS_WITHIN_MS = 60_000;

/** The built program. */
export const cliFile = join(distDir, 'cli/main.js');

/** How a program ended, and what it printed. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface CliRunOptions {
  /** On top of PATH, and nothing else: settings of whoever runs the tests must not reach the program. */
  env?: Record<string, string>;
  /** Given to its standard input, which is then closed. */
  input?: string;
}

/** Runs the program to its end; rejects when it does not come to one by itself. */
export function runCli(argv: readonly string[], options: CliRunOptions = {}): Promise<Ended> {
  return runToEnd(process.execPath, [cliFile, ...argv], options);
}

/** Runs a line of shell to its end, with the program as `$CLI`. */
export function runShell(line: string, { env = {}, input }: CliRunOptions = {}): Promise<Ended> {
  return runToEnd('bash', ['-c', line], { env: { CLI: `${process.execPath} ${cliFile}`, ...env }, input });
}

async function runToEnd(command: string, args: readonly string[], { env, input }: CliRunOptions): Promise<Ended> {
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const release = dieWithUs(child.pid!);
  let [stdout, stderr] = ['', ''];
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // A program that refuses its command line does not read what it is given.
  child.stdin?.on('error', () => undefined).end(input);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Ended>((resolve, reject) => {
      timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`${[command, ...args].join(' ')} did not end by itself:\n${stdout}\n${stderr}`));
      }, ENDS_WITHIN_MS);
      child.once('error', reject);
      // 'close', not 'exit': by then everything it printed has been read.
      child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    });
  } finally {
    clearTimeout(timer);
    release();
  }
}
