import type { LedgerFrame, LedgerGroup } from '../ledger/ledger-snapshot.js';

/** Packages that run the tests, as they appear in a path. */
const RUNNER = /[\\/]node_modules[\\/](?:@jest[\\/]|jest[\\/-]|ts-jest[\\/]|babel-jest[\\/])/;
const MODULE_LOADER = /[\\/]node_modules[\\/](?:.*[\\/])?jest-runtime[\\/]/;

/** False for what Node or jest opened for itself, and for what a library opens once, while it is being loaded. */
export function isOfTheTest({ site, provider, stack }: LedgerGroup): boolean {
  // Nothing but Node on the stack: the clock of its `fetch`, for instance.
  if (stack.length === 0 && provider === undefined) return false;
  const inside = stack.slice(0, firstOwn(stack));
  if (inside.some(({ file }) => MODULE_LOADER.test(file) || MODULE_LOADER.test(`/${file}`))) return false;
  return site !== null || !stack.some(({ file }) => RUNNER.test(`/${file}`));
}

function firstOwn(stack: readonly LedgerFrame[]): number {
  const index = stack.findIndex(({ library }) => !library);
  return index < 0 ? stack.length : index;
}
