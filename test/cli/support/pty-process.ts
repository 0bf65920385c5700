import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dieWithUs } from '../../support/die-with-us.js';
import { cliFile } from './cli-process.js';

// eslint-disable-next-line no-control-regex
const SEQUENCES = /\u001b\[[\d;]*[A-Za-z]/g;

/** The program in a terminal of its own (`script` of util-linux makes one), with keys and everything that it draws. */
export class PtyProcess {
  private text = '';
  private readonly closed: Promise<unknown>;

  private constructor(private readonly child: ChildProcess) {
    const release = dieWithUs(child.pid!);
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (this.text += chunk));
    child.stdin!.on('error', () => undefined);
    this.closed = once(child, 'close').finally(release);
  }

  /** Runs `mu-commander ARGS` in so many columns and lines, then `stty -a`: what the terminal is like afterwards. */
  static start(args: string, { columns = 80, rows = 24, env = {} as Record<string, string> } = {}): PtyProcess {
    const line = `stty cols ${columns} rows ${rows}; tty; ${process.execPath} ${cliFile} ${args}; echo "ended with $?"; stty -a`;
    return new PtyProcess(
      spawn('script', ['-qec', line, '/dev/null'], {
        env: { PATH: process.env.PATH, TERM: 'xterm', SHELL: '/bin/sh', ...env },
        stdio: ['pipe', 'pipe', 'pipe'],
      }),
    );
  }

  /** Everything so far, control sequences included. */
  get output(): string {
    return this.text;
  }

  /** The last whole picture, as lines without colours. */
  get screen(): string[] {
    const frames = this.text.split('\u001b[H').slice(1);
    const whole = frames.filter((frame) => frame.includes('\u001b[J')).at(-1) ?? '';
    return whole
      .split('\u001b[J')[0]!
      .split(/\r*\n/)
      .map((line) => line.replace(SEQUENCES, ''));
  }

  /** The device, for `stty -F`. */
  get device(): string {
    return /\/dev\/pts\/\d+/.exec(this.text)![0];
  }

  /** Process id of the program inside. */
  pid(): number {
    const all = execFileSync('ps', ['-t', this.device.replace('/dev/', ''), '-o', 'pid=,args='], { encoding: 'utf8' });
    return Number(
      all
        .split('\n')
        .find((line) => /^\s*\d+ \S*node /.test(line))!
        .trim()
        .split(' ')[0],
    );
  }

  press(keys: string): void {
    this.child.stdin!.write(keys);
  }

  async ended(): Promise<string> {
    await this.closed;
    return this.text;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.closed;
  }
}
