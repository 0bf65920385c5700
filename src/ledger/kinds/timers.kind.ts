import type { KindCounter } from '../counting/kind-counter.js';
import type { KindHooks } from '../hooks/kind-hooks.js';
import type { Kind } from './kind.js';

// The objects applications get, not copies of them.
const timers = process.getBuiltinModule('node:timers');
const timersPromises = process.getBuiltinModule('node:timers/promises');

/** Countdown of a hook that is off: far enough that a wrapper somebody still holds does nothing but count down. */
const NEVER = 2 ** 30;

/** Timeouts, intervals and the timers of `timers/promises`, unref'd ones included. */
export const timerKinds: Kind = {
  name: 'timers',
  install(hooks) {
    const options = {
      isOver: (timer: object) => (timer as { _destroyed?: boolean })._destroyed === true,
      nature: 'local',
    } as const;
    // What is active is held by Node: a timer that was collected had fired or was cleared.
    const timeout = hooks.counter('timer', {
      ...options,
      endsByCollection: true,
      dueInMs: (timer) => (timer as { _idleTimeout?: number })._idleTimeout ?? 0,
    });
    const interval = hooks.counter('interval', { ...options, endsByCollection: true });
    // Sandboxes first: they may read a global of this one when they are first asked for it.
    for (const target of [...hooks.core.options.globals, globalThis, timers]) {
      hooks.wrap(target, 'setTimeout', (original) => counted(hooks, timeout, original));
      hooks.wrap(target, 'setInterval', (original) => counted(hooks, interval, original));
    }
    installPromises(hooks);
  },
};

type Schedule = (this: unknown, ...args: unknown[]) => unknown;

/** The hottest wrapper of all: two counters, no allocation, no closure, no try. */
function counted(hooks: KindHooks, counter: KindCounter, original: Schedule): Schedule {
  const { gate } = counter;
  const { state } = hooks;
  const capture = (timer: object): void => {
    if (!state.active) gate.skip = NEVER;
    state.run('timer', () => {
      const { weight } = gate;
      counter.openEstimated(timer, weight);
      gate.taken();
    });
  };
  return function (this: unknown, callback?: unknown, delay?: unknown): unknown {
    const timer =
      arguments.length <= 2
        ? original(callback, delay)
        : // eslint-disable-next-line prefer-rest-params -- arguments for the callback are rare, an array per timer is not
          original.apply(this, arguments as unknown as unknown[]);
    counter.created++;
    if (gate.skip > 0) gate.skip--;
    else capture(timer as object);
    return timer;
  };
}

interface Waiting {
  readonly endsMs: number;
  readonly signal: WeakRef<AbortSignal> | null;
}

function installPromises(hooks: KindHooks): void {
  const { now } = hooks.core;
  // The timer behind the promise cannot be reached, but when it ends is known. Watching the promise itself would mark a
  // rejection as handled.
  const waiting = new WeakMap<object, Waiting>();
  const timeout = hooks.counter('timer.promise', {
    endsByCollection: true,
    nature: 'local',
    dueInMs: (promise) => (waiting.get(promise)?.endsMs ?? now()) - now(),
    isOver: (promise) => {
      const wait = waiting.get(promise);
      return !wait || now() >= wait.endsMs || wait.signal?.deref()?.aborted === true;
    },
  });
  const open = (promise: unknown, delay: unknown, options: unknown): void => {
    timeout.created++;
    if (timeout.gate.skip > 0) {
      timeout.gate.skip--;
      return;
    }
    const signal = (options as { signal?: AbortSignal } | undefined)?.signal;
    const delayMs = typeof delay === 'number' && delay >= 1 ? delay : 1;
    waiting.set(promise as object, { endsMs: now() + delayMs, signal: signal ? new WeakRef(signal) : null });
    timeout.openEstimated(promise as object, timeout.gate.weight);
    timeout.gate.taken();
  };
  hooks.after(timersPromises, 'setTimeout', (_self, args, promise) => open(promise, args[0], args[2]));
  const scheduler = Object.getPrototypeOf(timersPromises.scheduler) as object;
  hooks.after(scheduler, 'wait', (_self, args, promise) => open(promise, args[0], args[1]));

  const interval = hooks.counter('interval.promise', { nature: 'local' });
  hooks.after(timersPromises, 'setInterval', (_self, _args, iterator) => {
    interval.open(iterator as object);
    hooks.endsWithIterator(iterator as object);
  });
}
