import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { dieWithUs } from '../../../support/die-with-us';
import { eventually } from '../../../support/eventually';
import type { MemoryCgroup } from '../../../support/pod/memory-cgroup';

const REGISTER = join(process.cwd(), 'dist/diagnostics/register.js');

/** A program of somebody else, run with `mu-commander/register` preloaded. Its standard input is open until `letEnd`. */
export class WatchedProgram {
  private output = '';
  private readonly exited: Promise<number | null>;

  private constructor(
    readonly directory: string,
    readonly child: ChildProcess,
  ) {
    const release = dieWithUs(child.pid!);
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.exited = new Promise((resolve) =>
      child.once('close', (code) => {
        release();
        resolve(code);
      }),
    );
  }

  static start(
    file: string,
    text: string,
    preload: '--require' | '--import',
    env: Record<string, string>,
    { cgroup, maxOpenFiles }: { cgroup?: MemoryCgroup; maxOpenFiles?: number } = {},
  ): WatchedProgram {
    const directory = mkdtempSync(join(tmpdir(), 'commander-watched-'));
    writeFileSync(join(directory, 'package.json'), '{"name":"watched"}');
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), text);
    const command = [process.execPath, '--no-warnings', preload, REGISTER, join(directory, file)];
    // In its group from the first instruction on, so that Node reads the limit.
    const enter = cgroup === undefined ? '' : `echo $$ > ${cgroup.directory}/cgroup.procs; `;
    const limit = maxOpenFiles === undefined ? '' : `ulimit -n ${maxOpenFiles}; `;
    const child = spawn('sh', ['-c', `${enter}${limit}exec "$@"`, 'sh', ...command], {
      cwd: directory,
      env: { ...process.env, NODE_OPTIONS: '', MU_DIAGNOSTICS_PORT_FILE: join(directory, 'port'), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return new WatchedProgram(directory, child);
  }

  /** All it has written to its standard output and error. */
  get written(): string {
    return this.output;
  }

  /** Where it serves, once its file says so. */
  async base(): Promise<string> {
    const port = await eventually(
      () => existsSync(join(this.directory, 'port')) && readFileSync(join(this.directory, 'port'), 'utf8'),
      { what: `a port of the program, which wrote: ${this.output}`, timeoutMs: 60_000 },
    );
    return `http://127.0.0.1:${Number(port)}`;
  }

  /** Lets it end by itself. @returns its exit code */
  async letEnd(): Promise<number | null> {
    this.child.stdin!.end();
    return this.exited;
  }

  /** Ends it if it still runs, and removes its files. */
  async remove(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
    rmSync(this.directory, { recursive: true, force: true });
  }
}
