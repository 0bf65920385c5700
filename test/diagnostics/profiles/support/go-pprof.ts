import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

/** Whether Go's own tool is here; said loudly where it is not. */
export const hasGo = ((): boolean => {
  try {
    execFileSync('go', ['tool', 'pprof', '-h'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    // Its help ends with 2.
    if ((error as { status?: number }).status === 2) return true;
    console.warn(
      'SKIPPED: there is no `go tool pprof` here (apt-get install golang-go), so the real tool reads nothing.',
    );
    return false;
  }
})();

/** What `go tool pprof` prints. @param directory where it may keep its files */
export async function goPprof(directory: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['tool', 'pprof', ...args], {
    env: { ...process.env, HOME: directory, PPROF_TMPDIR: directory, NO_PROXY: '127.0.0.1' },
    timeout: 60_000,
  });
  return stdout;
}
