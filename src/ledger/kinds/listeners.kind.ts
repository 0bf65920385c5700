import { EventEmitter, getEventListeners, getMaxListeners } from 'node:events';
import { parseStack } from '../capture/parse-stack.js';
import type { KindCounter } from '../counting/kind-counter.js';
import type { KindHooks } from '../hooks/kind-hooks.js';
import { CountedListeners, original } from './counted-listeners.js';
import type { Kind } from './kind.js';

/** Emitters and event targets followed at once; the rest of a flood of warnings is not. */
const MAX_ARMED = 256;

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

interface ListenersWarning extends Error {
  emitter?: object;
  target?: object;
  type: PropertyKey;
  count: number;
}

/**
 * Listeners on emitters and event targets (AbortSignals) that raised MaxListenersExceededWarning. Nothing is hooked before:
 * the warning names the line of the listener that was one too many, and from then on each listener of that emitter is counted.
 */
export const listeners: Kind = {
  name: 'listeners',
  install(hooks) {
    const armed = new ArmedObjects();
    const onWarning = (warning: Error): void => {
      if (warning.name !== 'MaxListenersExceededWarning') return;
      hooks.state.run('warning', () => {
        const { emitter, target } = warning as ListenersWarning;
        const object = emitter ?? target;
        if (!object || !armed.admits(object)) return;
        const { type, stack } = warning as ListenersWarning;
        arm(hooks, object, emitter !== undefined, type, stack);
      });
    };
    process.on('warning', onWarning);
    hooks.onStop(() => process.removeListener('warning', onWarning));
    if (getMaxListeners(new AbortController().signal) === 0) watchSignals(hooks, armed);
  },
};

/** What is followed, as far as it is still there. */
class ArmedObjects {
  private readonly refs = new Set<WeakRef<object>>();

  /** @returns false when it is followed already, or too many are */
  admits(object: object): boolean {
    for (const ref of this.refs) {
      const present = ref.deref();
      if (present === object) return false;
      if (present === undefined) this.refs.delete(ref);
    }
    if (this.refs.size >= MAX_ARMED) return false;
    this.refs.add(new WeakRef(object));
    return true;
  }
}

/** From Node 22 on no number of listeners is too many for an AbortSignal: it is followed from where others are warned of. */
function watchSignals(hooks: KindHooks, armed: ArmedObjects): void {
  const { state } = hooks;
  const addedCounts = new WeakMap<object, number>();
  const added = (signal: AbortSignal): void => {
    let count = (addedCounts.get(signal) ?? 0) + 1;
    // Some may have been removed since.
    if (count > EventEmitter.defaultMaxListeners) count = getEventListeners(signal, 'abort').length;
    if (count > EventEmitter.defaultMaxListeners) {
      count = -Infinity;
      if (armed.admits(signal)) arm(hooks, signal, false, 'abort', new Error().stack);
    }
    addedCounts.set(signal, count);
  };
  hooks.wrap(AbortSignal.prototype, 'addEventListener', (original) => {
    return {
      hooked(this: AbortSignal, ...args: unknown[]): unknown {
        const result = Reflect.apply(original, this, args);
        if (args[0] === 'abort') state.run('addEventListener', () => added(this));
        return result;
      },
    }.hooked as AnyFunction;
  });
}

function arm(hooks: KindHooks, object: object, isEmitter: boolean, type: PropertyKey, stack = ''): void {
  if (followedBy(hooks).has(object)) return;
  const counter = counterOf(hooks, isEmitter);
  const counted = new CountedListeners(object, counter);
  // Those before the warning left no stack of their own; they are put on the line that went over the threshold.
  const site = counter.shareAt(parseStack(stack));
  // Counted now: the warning comes a tick late, and more may have been added since.
  const presentCount = getEventListeners(object as EventEmitter, type as string).length;
  for (let index = 0; index < presentCount; index++) {
    counted.openedEarlier(type, site);
  }
  follow(hooks, object, counted, isEmitter, (event) => event === type);
}

/** Counts each listener that is added to an emitter from now on, whatever the event, under the line that adds it. */
export function followListeners(hooks: KindHooks, emitter: EventEmitter): void {
  const followed = followedBy(hooks);
  if (followed.has(emitter)) return;
  followed.add(emitter);
  follow(hooks, emitter, new CountedListeners(emitter, counterOf(hooks, true)), true, () => true);
}

const followed = new WeakMap<KindHooks, WeakSet<object>>();

/** Emitters one ledger follows on request; they need no warning. */
function followedBy(hooks: KindHooks): WeakSet<object> {
  let emitters = followed.get(hooks);
  if (!emitters) followed.set(hooks, (emitters = new WeakSet()));
  return emitters;
}

function counterOf(hooks: KindHooks, isEmitter: boolean): KindCounter {
  return hooks.counter(isEmitter ? 'listener' : 'listener.target', { endsByCollection: true, nature: 'local' });
}

function follow(
  hooks: KindHooks,
  object: object,
  counted: CountedListeners,
  isEmitter: boolean,
  wants: (event: unknown) => boolean,
): void {
  const methods = isEmitter ? EMITTER_METHODS : TARGET_METHODS;
  for (const name of methods.adding) {
    // Only once it is added: what is no listener is refused, or left out without a word.
    wrapOwn(hooks, object, name, 'after', (event, listener, options) => {
      if (!wants(event) || !isObject(listener)) return;
      if (isEmitter) {
        counted.opened(event as string, original(listener));
        return;
      }
      // A target takes the same listener once for each phase, however often it is added, and none whose signal has aborted.
      const capture = isForCapture(options);
      if (counted.has(event as string, original(listener), capture) || hasAborted(options)) return;
      counted.keepUp(event as string);
      counted.opened(event as string, original(listener), capture);
    });
  }
  for (const name of methods.removing) {
    wrapOwn(hooks, object, name, isEmitter ? 'before' : 'after', (event, listener, options) => {
      if (!wants(event)) return;
      if (isEmitter) counted.closed(event as string, original(listener));
      else counted.closedFor(event as string, original(listener), isForCapture(options));
    });
  }
  if (isEmitter) {
    wrapOwn(hooks, object, 'removeAllListeners', 'before', (event) => {
      if (event === undefined || wants(event)) counted.closedAll(event as string | undefined);
    });
    return;
  }
  // A target takes a listener that is to be called once from its list without a call anybody could see.
  wrapOwn(hooks, object, 'dispatchEvent', 'after', (event) => {
    const { type } = event as Event;
    if (wants(type)) counted.settle(type);
  });
}

function isObject(listener: unknown): listener is object {
  return typeof listener === 'function' || (typeof listener === 'object' && listener !== null);
}

function isForCapture(options: unknown): boolean {
  if (typeof options === 'boolean') return options;
  return Boolean((options as { capture?: unknown } | null | undefined)?.capture);
}

function hasAborted(options: unknown): boolean {
  return (options as { signal?: AbortSignal } | null | undefined)?.signal?.aborted === true;
}

const EMITTER_METHODS = {
  adding: ['on', 'addListener', 'prependListener'],
  removing: ['off', 'removeListener'],
};
const TARGET_METHODS = { adding: ['addEventListener'], removing: ['removeEventListener'] };

function wrapOwn(
  hooks: KindHooks,
  object: object,
  name: string,
  when: 'before' | 'after',
  look: (...args: unknown[]) => void,
): void {
  hooks.wrapOn(object, name, (method: AnyFunction) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      if (when === 'before') hooks.state.run(name, () => look(...args));
      const result = Reflect.apply(method, this, args);
      if (when === 'after') hooks.state.run(name, () => look(...args));
      return result;
    };
  });
}
