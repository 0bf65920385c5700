import { spawn } from 'node:child_process';

// Each line read is the full list of processes to stop, in that order; the last one counts once the pipe closes.
// 20 s is longer than commander's default shutdown deadline and Redis's last fsync.
const SCRIPT = `
while read -r line; do pids=$line; done
for pid in $pids; do
  kill -CONT "$pid" && kill -TERM "$pid"
  tenths=0
  while [ "$tenths" -lt 200 ] && kill -0 "$pid"; do sleep 0.1; tenths=$((tenths + 1)); done
  kill -KILL "$pid"
done`;

/**
 * A small shell at the other end of a pipe. When this process dies without stopping its children (SIGKILL, out of memory),
 * the pipe closes and the shell stops them: each gets SIGTERM, and SIGKILL where that does not help.
 */
export class Guardian {
  constructor() {
    this.shell = spawn('sh', ['-c', SCRIPT], {
      stdio: ['pipe', 'ignore', 'ignore'],
      // Its own session: Ctrl-C in the terminal must not end it before those it guards.
      detached: true,
    });
    this.shell.on('error', () => undefined);
    this.shell.stdin.on('error', () => undefined);
    this.shell.unref();
    this.shell.stdin.unref();
  }

  /** Undefined when there is no shell to be one. */
  get pid() {
    return this.shell.pid;
  }

  /** From now on guards exactly these, to be stopped in this order. Leave out whoever has exited: its number may be reused. */
  guard(...pids) {
    this.shell.stdin.write(`${pids.join(' ')}\n`);
  }

  /** Ends the guardian without touching anybody. */
  release() {
    this.shell.kill('SIGKILL');
    this.shell.stdin.destroy();
  }
}
