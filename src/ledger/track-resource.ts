import type { KindHooks } from './hooks/kind-hooks.js';

/**
 * How a tracked resource says that it is over: the name of the method that closes it or of the event it emits then. A plain
 * string is the event on an emitter, the method on anything else.
 */
export type ClosedBy = string | { readonly method: string } | { readonly event: string };

/** Calls `close` when `object` is over. */
export function endOf(hooks: KindHooks, object: object, closedBy: ClosedBy, close: () => void): void {
  const isEmitter = typeof (object as { once?: unknown }).once === 'function';
  if (typeof closedBy === 'string' ? isEmitter : 'event' in closedBy) {
    hooks.onceOn(object, typeof closedBy === 'string' ? closedBy : (closedBy as { event: string }).event, close);
    return;
  }
  const name = typeof closedBy === 'string' ? closedBy : (closedBy as { method: string }).method;
  const putBack = hooks.wrapOn(object, name, (original) => {
    return {
      hooked(this: unknown, ...args: unknown[]): unknown {
        // Once: afterwards the object is as it was.
        putBack();
        close();
        return Reflect.apply(original, this, args);
      },
    }.hooked;
  });
}
