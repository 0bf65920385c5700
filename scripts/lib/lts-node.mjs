import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Failure } from './failure.mjs';
import { ensureNodeRelease } from './node-release.mjs';

/** The LTS that the image runs on; the Dockerfile names the same major version. */
export const LTS_NODE_VERSION = '24.21.0';

/** Takes that Node from the npm registry into `.cache/` (once) and returns the folder of its binary. */
export async function ensureLtsNode() {
  const folder = await ensureNodeRelease(LTS_NODE_VERSION);
  const lts = execFileSync(join(folder, 'node'), ['-p', 'process.release.lts ?? ""'], { encoding: 'utf8' });
  if (lts.trim() === '') throw new Failure(`Node ${LTS_NODE_VERSION} is no LTS release`);
  return folder;
}
