import { spawn } from 'node:child_process';

/**
 * Makes a process that has no channel to us die with us, however we die: a small shell kills it when its pipe closes.
 * @param {number} pid
 * @returns {() => void} the release; to be called when the process has ended
 */
export function dieWithUs(pid) {
  const watcher = spawn('sh', ['-c', 'read _; kill -KILL "$0"', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watcher.stdin.on('error', () => {});
  watcher.unref();
  watcher.stdin.unref();
  return () => {
    watcher.kill('SIGKILL');
    watcher.stdin.destroy();
  };
}
