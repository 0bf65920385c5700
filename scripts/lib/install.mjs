import { existsSync, readFileSync } from 'node:fs';
import { inCheckout } from './checkout.mjs';
import { Failure, say } from './failure.mjs';
import { runProgram } from './run-program.mjs';
import { hashOf, isStamped, writeStamp } from './stamp.mjs';

const STAMP = 'node_modules/.commander-install';

/** Makes node_modules what the lock file says; does nothing when it already is. */
export async function ensureInstalled() {
  const wanted = hashOf('package-lock.json');
  if (isStamped(STAMP, wanted)) return;
  if (!matchesLockFile()) {
    say('installing dependencies (npm ci)');
    const [command, ...args] = npm();
    // The build needs the development dependencies even where NODE_ENV=production would leave them out.
    const code = await runProgram(command, [
      ...args,
      'ci',
      '--include=dev',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
    ]);
    if (code !== 0) {
      throw new Failure(
        `npm ci failed (exit code ${code}). It needs the npm registry (see \`npm config get registry\` and the lines above); ` +
          'once that is reachable, run the same command again',
      );
    }
  }
  writeStamp(STAMP, wanted);
}

/** The npm that runs us, else the one on the PATH. */
function npm() {
  const cli = process.env.npm_execpath;
  return cli?.endsWith('npm-cli.js') ? [process.execPath, cli] : ['npm'];
}

/** Whether every package of the lock file is there (`npm install` by hand brings them as well as `npm ci`). */
function matchesLockFile() {
  // npm writes this record last, so without it an installation broke off. Its content says nothing: `--package-lock-only` changes it too.
  if (!existsSync(inCheckout('node_modules/.package-lock.json'))) return false;
  const { packages } = JSON.parse(readFileSync(inCheckout('package-lock.json'), 'utf8'));
  return Object.entries(packages).every(([path, { version, optional }]) => {
    if (path === '') return true;
    const installed = versionIn(path);
    // Optional packages are for some platforms only.
    return installed === version || (optional && installed === undefined);
  });
}

function versionIn(path) {
  try {
    return JSON.parse(readFileSync(inCheckout(path, 'package.json'), 'utf8')).version;
  } catch {
    return undefined;
  }
}
