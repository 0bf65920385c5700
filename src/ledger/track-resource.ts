/**
 * How a tracked resource says that it is over: the name of the method that closes it or of the event it emits then. A plain
 * string is the event on an emitter, the method on anything else.
 */
export type ClosedBy = string | { readonly method: string } | { readonly event: string };

interface Emitter {
  once(event: string, listener: () => void): unknown;
}

/** Calls `close` when `object` is over. */
export function endOf(object: object, closedBy: ClosedBy, close: () => void): void {
  const isEmitter = typeof (object as Partial<Emitter>).once === 'function';
  if (typeof closedBy === 'string' ? isEmitter : 'event' in closedBy) {
    (object as Emitter).once(typeof closedBy === 'string' ? closedBy : (closedBy as { event: string }).event, close);
    return;
  }
  const name = typeof closedBy === 'string' ? closedBy : (closedBy as { method: string }).method;
  const method = (object as Record<string, unknown>)[name];
  if (typeof method !== 'function') return;
  const own = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, {
    configurable: true,
    writable: true,
    enumerable: own?.enumerable ?? false,
    value: function (this: unknown, ...args: unknown[]): unknown {
      // Once: afterwards the object is as it was.
      if (own) Object.defineProperty(object, name, own);
      else delete (object as Record<string, unknown>)[name];
      close();
      return Reflect.apply(method as (...args: unknown[]) => unknown, this, args);
    },
  });
}
