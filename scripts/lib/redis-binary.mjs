import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { canInstallPackages, findProgram, installPackage } from './debian-package.mjs';
import { Failure } from './failure.mjs';

const WHAT_TO_DO =
  'install it (Debian, Ubuntu: `apt-get install redis-server`; macOS: `brew install redis`) or set REDIS_URL to a Redis that runs';

/**
 * Path of redis-server. Where it is missing and we are root on a system with apt, installs Debian's package.
 * @throws Failure with what to do, where that is not possible.
 */
export async function ensureRedisBinary() {
  const found = findProgram('redis-server');
  if (found) return found;
  if (!canInstallPackages()) throw new Failure(`redis-server is not installed: ${WHAT_TO_DO}`);
  await installPackage('redis-server', WHAT_TO_DO);
  disableService();
  const installed = findProgram('redis-server');
  if (!installed) throw new Failure(`apt-get installed no redis-server on the PATH: ${WHAT_TO_DO}`);
  return installed;
}

/** Not now and not at the next boot: nobody asked for a Redis on this system's port 6379. */
function disableService() {
  const run = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' });
  if (existsSync('/run/systemd/system')) {
    run('systemctl', 'disable', '--now', 'redis-server');
    return;
  }
  run('service', 'redis-server', 'stop');
  run('update-rc.d', 'redis-server', 'disable');
  // systemd may be installed without being what runs here.
  run('systemctl', 'disable', 'redis-server');
}
