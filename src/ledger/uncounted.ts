import { theLedger } from './the-ledger.js';

/**
 * For the observers themselves: what they open is theirs and no resource of the application. Works whether the ledger
 * runs, has not started yet or is off.
 */
export const uncounted = {
  /** Node's own timers, which the ledger does not count and a test that fakes timers does not stop. */
  timers: theLedger.ownTimers,

  /** Counts neither `object` nor what it opens (the sockets that a server accepts). To be called before it opens. */
  exclude<T extends object>(object: T): T {
    theLedger.exclude(object);
    return object;
  },

  /** Runs `work` without counting what it opens before it returns. */
  quietly<T>(work: () => T): T {
    return theLedger.quietly(work);
  },

  /** Resolves after `ms`. @throws the reason of `signal` when it fires before */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const { setTimeout, clearTimeout } = theLedger.ownTimers;
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  },
};
