import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inCheckout } from './checkout.mjs';
import { Failure, say } from './failure.mjs';
import { runProgram } from './run-program.mjs';

/** The LTS that the image runs on; the Dockerfile names the same major version. */
export const LTS_NODE_VERSION = '26.10.0';

/** Takes that Node from the npm registry into `.cache/` (once) and returns the folder of its binary. */
export async function ensureLtsNode() {
  const home = inCheckout('.cache', `node-${LTS_NODE_VERSION}`);
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = join(home, 'node_modules', name, 'bin');
  if (existsSync(join(folder, 'node'))) return folder;
  say(`taking Node ${LTS_NODE_VERSION} from the npm registry (${name})`);
  mkdirSync(home, { recursive: true });
  // A package of its own, else npm would walk up and install into the checkout.
  writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--no-save', '--no-audit', '--no-fund', `${name}@${LTS_NODE_VERSION}`];
  const code = await runProgram('npm', args, { cwd: home });
  if (code !== 0) throw new Failure(`npm could not install ${name}@${LTS_NODE_VERSION} (exit code ${code})`);
  return folder;
}
