import { canInstallPackages, findProgram, installPackage } from './debian-package.mjs';
import { say } from './failure.mjs';

/**
 * Path of a Chromium for the tests of the page. Where it is missing and we are root on a system with apt, installs Debian's
 * package; where that is not possible, says so and returns undefined: those tests are then skipped, loudly.
 */
export async function ensureChromiumBinary() {
  const found = findChromium();
  if (found) return found;
  if (canInstallPackages())
    await installPackage('chromium', 'the tests of the page need it').catch(({ message }) => say(message));
  const installed = findChromium();
  if (!installed) say('no Chromium here: the tests of the page will be skipped');
  return installed;
}

function findChromium() {
  return findProgram('chromium') ?? findProgram('chromium-browser');
}
