import { accessSync, constants, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Failure, say } from './failure.mjs';
import { runProgram } from './run-program.mjs';

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

/** Whether packages can be installed here: root on a system with apt. */
export function canInstallPackages() {
  return findProgram('apt-get') !== undefined && process.getuid?.() === 0;
}

/**
 * Installs a package of Debian; services it brings are not started.
 * @param whatToDo for people, where it fails
 * @throws Failure
 */
export async function installPackage(name, whatToDo) {
  say(`${name} is missing: installing the package of this system (apt-get install ${name})`);
  const apt = findProgram('apt-get');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const allowServices = forbidServiceStarts();
  try {
    // Its failure is no reason to stop: the lists on disk may be good enough.
    await runProgram(apt, ['-q', 'update'], { env });
    const code = await runProgram(apt, ['-q', 'install', '-y', '--no-install-recommends', name], { env });
    if (code !== 0) throw new Failure(`apt-get could not install ${name} (exit code ${code}): ${whatToDo}`);
  } finally {
    allowServices();
  }
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
