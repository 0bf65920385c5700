import { readFileSync } from 'node:fs';
import { inCheckout } from './checkout.mjs';
import { Failure } from './failure.mjs';

/** @throws Failure when this Node is older than `engines.node` of package.json (written as `>=major.minor`). */
export function assertNodeVersion(running = process.versions.node) {
  const { engines } = JSON.parse(readFileSync(inCheckout('package.json'), 'utf8'));
  const [, major, minor = '0'] = /^>=(\d+)(?:\.(\d+))?/.exec(engines.node);
  const [runningMajor, runningMinor] = running.split('.').map(Number);
  if (runningMajor > Number(major) || (runningMajor === Number(major) && runningMinor >= Number(minor))) return;
  throw new Failure(`this is Node ${running}; Node ${engines.node.slice(2)} or newer is needed`);
}
