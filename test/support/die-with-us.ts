import { spawn } from 'node:child_process';

/**
 * Makes `pid` die with this process, however this process dies (SIGKILL included, where no handler of ours runs):
 * a small shell holds the other end of a pipe and kills `pid` when the pipe closes.
 * Returns the release: call it once `pid` has exited, else its number might belong to somebody else by then.
 */
export function dieWithUs(pid: number): () => void {
  const watcher = spawn('sh', ['-c', 'read _; kill -KILL "$0"', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Its own session, so that Ctrl-C in the terminal does not take the watcher before the watched.
    detached: true,
  });
  watcher.on('error', () => undefined);
  watcher.stdin.on('error', () => undefined);
  watcher.unref();
  (watcher.stdin as unknown as { unref(): void }).unref();
  return () => {
    watcher.kill('SIGKILL');
    watcher.stdin.destroy();
  };
}
