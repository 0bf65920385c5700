import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inCheckout } from './checkout.mjs';
import { Failure, say } from './failure.mjs';
import { runProgram } from './run-program.mjs';

/** The LTS that the image runs on; the Dockerfile names the same major version. */
export const LTS_NODE_VERSION = '24.21.0';

/** Takes that Node from the npm registry into `.cache/` (once) and returns the folder of its binary. */
export async function ensureLtsNode() {
  const home = inCheckout('.cache', `node-${LTS_NODE_VERSION}`);
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = join(home, 'node_modules', name, 'bin');
  const node = join(folder, 'node');
  if (!existsSync(node)) await install(home, name);
  if (execFileSync(node, ['-p', 'process.release.lts ?? ""'], { encoding: 'utf8' }).trim() === '') {
    throw new Failure(`Node ${LTS_NODE_VERSION} is no LTS release`);
  }
  return folder;
}

async function install(home, name) {
  say(`taking Node ${LTS_NODE_VERSION} from the npm registry (${name})`);
  mkdirSync(home, { recursive: true });
  // A package of its own, else npm would walk up and install into the checkout.
  writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--no-save', '--no-audit', '--no-fund', `${name}@${LTS_NODE_VERSION}`];
  const code = await runProgram('npm', args, { cwd: home });
  if (code !== 0) throw new Failure(`npm could not install ${name}@${LTS_NODE_VERSION} (exit code ${code})`);
}
