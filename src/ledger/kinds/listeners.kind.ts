import { getEventListeners, type EventEmitter } from 'node:events';
import { recordOf } from '../counting/record-slot.js';
import { parseStack } from '../capture/parse-stack.js';
import type { KindHooks } from '../hooks/kind-hooks.js';
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
    const armed = new Set<WeakRef<object>>();
    const onWarning = (warning: Error): void => {
      if (warning.name !== 'MaxListenersExceededWarning') return;
      hooks.state.run('warning', () => {
        const { emitter, target } = warning as ListenersWarning;
        const object = emitter ?? target;
        if (!object || [...armed].some((ref) => ref.deref() === object)) return;
        for (const ref of armed) if (!ref.deref()) armed.delete(ref);
        if (armed.size >= MAX_ARMED) return;
        armed.add(new WeakRef(object));
        arm(hooks, object, warning as ListenersWarning);
      });
    };
    process.on('warning', onWarning);
    hooks.onStop(() => process.removeListener('warning', onWarning));
  },
};

function arm(hooks: KindHooks, object: object, warning: ListenersWarning): void {
  const isEmitter = warning.emitter !== undefined;
  const counter = hooks.counter(isEmitter ? 'listener' : 'listener.target', { endsByCollection: true });
  const { type } = warning;
  // A listener may be added to many emitters and many times to one: each adding is a resource of its own.
  const added = new Map<unknown, object[]>();
  const opened = (listener: unknown, open: (token: object) => void): void => {
    const token = { emitter: object };
    open(token);
    if (!recordOf(token)) return;
    const tokens = added.get(listener);
    if (tokens) tokens.push(token);
    else added.set(listener, [token]);
  };
  const closed = (listener: unknown): void => {
    let key = listener;
    if (!added.has(listener)) {
      if (!getEventListeners(object as EventEmitter, type as string).some((present) => original(present) === listener))
        return;
      key = EARLIER;
    }
    const tokens = added.get(key);
    const token = tokens?.pop();
    if (tokens?.length === 0) added.delete(key);
    if (token) counter.close(token);
  };
  // Those before the warning left no stack of their own; they are put on the line that went over the threshold.
  const site = counter.shareAt(parseStack(warning.stack ?? ''));
  // Counted now: the warning comes a tick late, and more may have been added since.
  const presentCount = getEventListeners(object as EventEmitter, type as string).length;
  for (let index = 0; index < presentCount; index++) opened(EARLIER, (token) => counter.openWith(site, token));

  const methods = isEmitter ? EMITTER_METHODS : TARGET_METHODS;
  for (const name of methods.adding) {
    wrapOwn(hooks, object, name, (event, listener) => {
      // An event target takes the same listener once, however often it is added.
      if (event !== type || (!isEmitter && added.has(listener))) return;
      opened(original(listener), (token) => counter.open(token));
    });
  }
  for (const name of methods.removing) {
    wrapOwn(hooks, object, name, (event, listener) => {
      if (event === type) closed(original(listener));
    });
  }
  if (isEmitter) {
    wrapOwn(hooks, object, 'removeAllListeners', (event) => {
      if (event !== undefined && event !== type) return;
      for (const tokens of added.values()) for (const token of tokens) counter.close(token);
      added.clear();
    });
  }
}

const EARLIER = Symbol('earlier');
const EMITTER_METHODS = {
  adding: ['on', 'addListener', 'prependListener'],
  removing: ['off', 'removeListener'],
};
const TARGET_METHODS = { adding: ['addEventListener'], removing: ['removeEventListener'] };

/** `once` adds a wrapper of the listener it was given. */
function original(listener: unknown): unknown {
  return (listener as { listener?: unknown } | undefined)?.listener ?? listener;
}

function wrapOwn(
  hooks: KindHooks,
  object: object,
  name: string,
  first: (event: unknown, listener: unknown) => void,
): void {
  hooks.wrapOn(object, name, (method: AnyFunction) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      hooks.state.run(name, () => first(args[0], args[1]));
      return Reflect.apply(method, this, args);
    };
  });
}
