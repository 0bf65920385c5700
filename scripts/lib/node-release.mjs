import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inCheckout } from './checkout.mjs';
import { Failure, say } from './failure.mjs';
import { runProgram } from './run-program.mjs';

/**
 * Takes a Node from the npm registry into `.cache/`, once, and returns the folder of its binary.
 * @param {string} version a release (`24.21.0`), or a major version for its newest release at the time
 */
export async function ensureNodeRelease(version) {
  if (!/^\d+(\.\d+){0,2}$/.test(version))
    throw new Failure(`${version}: expected a version of Node like 24 or 24.21.0`);
  const home = inCheckout('.cache', `node-${version}`);
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = join(home, 'node_modules', name, 'bin');
  if (!existsSync(join(folder, 'node'))) await install(home, name, version);
  return folder;
}

async function install(home, name, version) {
  say(`taking Node ${version} from the npm registry (${name})`);
  mkdirSync(home, { recursive: true });
  // A package of its own, else npm would walk up and install into the checkout.
  writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--no-save', '--no-audit', '--no-fund', `${name}@${version}`];
  const code = await runProgram('npm', args, { cwd: home });
  if (code !== 0) throw new Failure(`npm could not install ${name}@${version} (exit code ${code})`);
}
