import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Failure, say } from './failure.mjs';
import { runProgram } from './run-program.mjs';

const WHAT_TO_DO =
  'install it (Debian, Ubuntu: `apt-get install redis-server`; macOS: `brew install redis`) or set REDIS_URL to a Redis that runs';

/**
 * Path of redis-server. Where it is missing and we are root on a system with apt, installs Debian's package.
 * @throws Failure with what to do, where that is not possible.
 */
export async function ensureRedisBinary() {
  const found = findProgram('redis-server');
  if (found) return found;
  const apt = findProgram('apt-get');
  if (!apt || process.getuid?.() !== 0) throw new Failure(`redis-server is not installed: ${WHAT_TO_DO}`);
  await installWithApt(apt);
  const installed = findProgram('redis-server');
  if (!installed) throw new Failure(`apt-get installed no redis-server on the PATH: ${WHAT_TO_DO}`);
  return installed;
}

/** Full path of a program on the PATH (or where systems keep services), else undefined. */
export function findProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/bin', '/usr/bin', '/usr/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

async function installWithApt(apt) {
  say('redis-server is missing: installing the package of this system (apt-get install redis-server)');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const allowServices = forbidServiceStarts();
  try {
    // Its failure is no reason to stop: the lists on disk may be good enough.
    await runProgram(apt, ['-q', 'update'], { env });
    const code = await runProgram(apt, ['-q', 'install', '-y', '--no-install-recommends', 'redis-server'], { env });
    if (code !== 0) throw new Failure(`apt-get could not install redis-server (exit code ${code}): ${WHAT_TO_DO}`);
  } finally {
    allowServices();
  }
  disableService();
}

/**
 * Debian starts the service of a package it installs; we want the program only.
 * policy-rc.d answering 101 is Debian's own way to say so. Returns what takes it away again.
 */
function forbidServiceStarts() {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return () => undefined;
  try {
    writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' });
  } catch {
    return () => undefined;
  }
  const remove = () => rmSync(policy, { force: true });
  process.on('exit', remove);
  return () => {
    process.off('exit', remove);
    remove();
  };
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
