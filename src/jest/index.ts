import { EventEmitter } from 'node:events';
import type { AllowedLeak } from './allowed-leaks.js';
import { type CheckedPer, LeakCheck, type LeakCheckOptions } from './leak-check.js';

export type { AllowedLeak } from './allowed-leaks.js';
export type { CheckedPer, LeakCheckOptions } from './leak-check.js';
export { type Leak, LeaksError } from './leaks.error.js';

// Counting begins with the first import, so that what the test file itself opens at its top is seen, too.
const check = LeakCheck.ofThisFile();

/**
 * Checks every test file that this is called in (from a setup file: all of them): what was opened in it and is still alive
 * after its last `afterAll` fails it, with kind and line.
 * @param options.per 'test' checks each test by itself as well. Default 'file'
 */
export function checkLeaks({ per = 'file', ...options }: LeakCheckOptions & { per?: CheckedPer } = {}): void {
  check.automatically(per, options);
}

/**
 * Checks now: in a test or its hooks what was opened since the test began, anywhere else what was opened in the file. Waits
 * up to `graceMs` for what is being closed.
 * @throws LeaksError (code `LEAKS`) with kind, count and line of each
 */
export function expectNoLeaks(options: LeakCheckOptions = {}): Promise<void> {
  return check.expectNone(options);
}

/** Names what may stay open in this test file. */
export function allowLeaks(...leaks: AllowedLeak[]): void {
  check.allow(leaks);
}

/**
 * Counts the listeners that are added to an emitter which outlives the tests: those still there at the check are leaks.
 * `process` is watched without being named.
 * @throws TypeError for what is no EventEmitter
 */
export function watchListeners(...emitters: EventEmitter[]): void {
  for (const emitter of emitters) {
    if (!(emitter instanceof EventEmitter)) throw new TypeError('watchListeners takes EventEmitters');
    check.followListeners(emitter);
  }
}
