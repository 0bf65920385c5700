import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt } from './build.mjs';
import { inCheckout } from './checkout.mjs';
import { say } from './failure.mjs';
import { ensureInstalled } from './install.mjs';
import { takeLock } from './lock-file.mjs';
import { assertNodeVersion } from './node-version.mjs';

/** Node new enough, dependencies installed, dist/ built. One process of this checkout at a time; the others wait. */
export async function setUp({ build = ensureBuilt } = {}) {
  assertNodeVersion();
  const lock = await waitForLock(inCheckout('.data/set-up.lock'));
  try {
    await ensureInstalled();
    await build();
  } finally {
    lock.release();
  }
}

async function waitForLock(file) {
  for (let told = false; ; told = true) {
    const lock = takeLock(file);
    if (lock.release) return lock;
    if (!told) say(`waiting: process ${lock.holder.pid} is installing or building in this checkout`);
    await sleep(200);
  }
}
