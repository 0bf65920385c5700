import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { EventEmitter } from 'node:events';
import type { KindCounter, KindOptions } from '../counting/kind-counter.js';
import { endCounted } from '../counting/record-slot.js';
import type { LedgerCore } from '../ledger-core.js';
import type { HookState } from './hook-state.js';
import type { LibraryLoads, LoadedModule } from './library-loads.js';
import { dressAs, type Patches } from './patches.js';

// Arguments and receivers are whatever the application passes.
type Args = readonly unknown[];
type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/** So many methods of single objects are remembered before those are dropped that are gone, with their object or before it. */
const MIN_OWN_WRAPS = 256;

/** What runs when an event is emitted. */
interface EmitHook {
  readonly event: string;
  readonly name: string;
  readonly then: (self: object) => void;
}

/** A method wrapped on one object, or a listener added to it, and what to put back. */
interface OwnWrap {
  readonly object: WeakRef<object>;
  /** Of the method, or the event. */
  readonly key: string;
  readonly value: WeakRef<object>;
  readonly isListener: boolean;
}

/** What a kind has to reach the program with. Every callback runs guarded: what it throws is counted, never passed on. */
export class KindHooks {
  private readonly methodsEnding = new WeakMap<object, Set<string>>();
  private readonly emitting = new WeakMap<object, EmitHook[]>();
  private readonly stopping: (() => void)[] = [];
  private ownWraps: OwnWrap[] = [];
  /** What was the object's own before, by the wrapper: a method made in a constructor knows the object. None: it was inherited. */
  private readonly ownBefore = new WeakMap<object, PropertyDescriptor>();
  private pruneOwnWrapsAt = MIN_OWN_WRAPS;

  constructor(
    readonly core: LedgerCore,
    readonly state: HookState,
    readonly patches: Patches,
    private readonly libraries: LibraryLoads,
  ) {}

  counter(kind: string, options?: KindOptions): KindCounter {
    return this.core.counter(kind, options);
  }

  /** Runs `then` after `target[key]` returned. Not for functions called more than some 10,000 times a second. */
  after(target: object, key: string, then: (self: object, args: Args, result: unknown) => void): void {
    const { state } = this;
    const hook = `after ${key}`;
    this.wrap(target, key, (original) => {
      return {
        hooked(this: unknown, ...args: unknown[]): unknown {
          const result = Reflect.apply(original, this, args);
          if (state.mayRun(hook)) {
            try {
              state.fault?.(hook);
              then(this as object, args, result);
            } catch (error) {
              state.failed(hook, error);
            }
          }
          return result;
        },
      }.hooked;
    });
  }

  /** Runs `first` before `target[key]` is called. */
  before(target: object, key: string, first: (self: object, args: Args) => void): void {
    this.wrap(target, key, this.preceded(key, first));
  }

  private preceded(key: string, first: (self: object, args: Args) => void): (original: AnyFunction) => AnyFunction {
    const { state } = this;
    const hook = `before ${key}`;
    return (original) => {
      return {
        hooked(this: unknown, ...args: unknown[]): unknown {
          if (state.mayRun(hook)) {
            try {
              state.fault?.(hook);
              first(this as object, args);
            } catch (error) {
              state.failed(hook, error);
            }
          }
          return Reflect.apply(original, this, args);
        },
      }.hooked;
    };
  }

  /** Replaces what `target[key]` returns by what `change` makes of it (undefined: leave it). `change` gets what `prepare` took before the call. */
  around<T>(
    target: object,
    key: string,
    prepare: (args: Args) => T,
    change: (prepared: T, result: unknown, args: Args) => unknown,
  ): void {
    const { state } = this;
    this.wrap(target, key, (original) => {
      return {
        hooked(this: unknown, ...args: unknown[]): unknown {
          let prepared: { value: T } | undefined;
          state.run(`around ${key}`, () => {
            prepared = { value: prepare(args) };
          });
          const result = Reflect.apply(original, this, args);
          let changed: unknown;
          if (prepared) {
            const { value } = prepared;
            state.run(`around ${key}`, () => {
              changed = change(value, result, args);
            });
          }
          return changed === undefined ? result : changed;
        },
      }.hooked;
    });
  }

  // Wrappers are written as methods: a function of its own would be a constructor and have a `prototype`, which methods and
  // async functions do not.

  /** Replaces `target[key]` by what `make` returns for it, dressed as the original. For hot functions with their own guard. */
  wrap(target: object, key: string, make: (original: AnyFunction) => AnyFunction): void {
    const original = (target as Record<string, unknown>)[key];
    if (typeof original !== 'function') return;
    this.patches.replace(target, key, dressAs(make(original as AnyFunction), original as AnyFunction));
  }

  /**
   * The same on one object of the application, which must not be kept alive for it: what is wrapped goes with the object.
   * @returns what puts it back before the ledger stops
   */
  wrapOn(object: object, key: string, make: (original: AnyFunction) => AnyFunction): () => void {
    const own = Object.getOwnPropertyDescriptor(object, key);
    const original = (object as Record<string, unknown>)[key];
    if (typeof original !== 'function' || own?.configurable === false) return () => undefined;
    const value = dressAs(make(original as AnyFunction), original as AnyFunction);
    Object.defineProperty(object, key, {
      value,
      writable: true,
      configurable: true,
      enumerable: own?.enumerable ?? false,
    });
    if (own) this.ownBefore.set(value, own);
    this.rememberOwn(object, key, value, false);
    return () => this.unwrap(object, key, value);
  }

  /** Calls `listener` with the next `event` of one emitter of the application, which must not be kept alive for it. */
  onceOn(emitter: object, event: string, listener: () => void): void {
    (emitter as EventEmitter).once(event, listener);
    this.rememberOwn(emitter, event, listener, true);
  }

  private rememberOwn(object: object, key: string, value: object, isListener: boolean): void {
    if (this.ownWraps.length >= this.pruneOwnWrapsAt) {
      this.ownWraps = this.ownWraps.filter(({ value: ref }) => ref.deref() !== undefined);
      this.pruneOwnWrapsAt = Math.max(MIN_OWN_WRAPS, 2 * this.ownWraps.length);
    }
    // What was put there weakly, too: it knows the object.
    this.ownWraps.push({ object: new WeakRef(object), key, value: new WeakRef(value), isListener });
  }

  /** What somebody else has wrapped since is left to them. */
  private unwrap(object: object, key: string, wrapper: object): void {
    if (Object.getOwnPropertyDescriptor(object, key)?.value !== wrapper) return;
    const own = this.ownBefore.get(wrapper);
    if (own) Object.defineProperty(object, key, own);
    else delete (object as Record<string, unknown>)[key];
  }

  /**
   * Runs `then` when an instance of `prototype` emits `event`. Adds no listener, so that nothing the application counts
   * or removes changes.
   */
  onEmit(prototype: object, event: string, then: (self: object) => void): void {
    const hook: EmitHook = { event, name: `emit ${event}`, then };
    const known = this.emitting.get(prototype);
    if (known) {
      // A kind may ask again for a prototype it meets with every object.
      const place = known.findIndex((other) => other.event === event);
      known[place === -1 ? known.length : place] = hook;
      return;
    }
    const wanted = [hook];
    this.emitting.set(prototype, wanted);
    const { state } = this;
    this.wrap(prototype, 'emit', (original) => {
      return {
        hooked(this: unknown, type: unknown): unknown {
          // Two at most, and compared faster than looked up.
          for (let index = 0; index < wanted.length; index++) {
            if (wanted[index].event === type) state.pass(wanted[index].name, wanted[index].then, this as object);
          }
          // eslint-disable-next-line prefer-rest-params -- forwards without an array per emitted event
          return original.apply(this, arguments as unknown as unknown[]);
        },
      }.hooked;
    });
  }

  /**
   * Closes `object` when one of its methods `names` is called. The method is wrapped where it is defined, once: on a class, or on
   * the object itself.
   * @param identity the counted object behind the receiver, where a library hands out proxies of it
   */
  endsOnCall(object: object, names: readonly string[], identity: (self: object) => object = (self) => self): void {
    for (const name of names) {
      const owner = ownerOf(object, name);
      if (!owner) continue;
      let wrapped = this.methodsEnding.get(owner);
      if (!wrapped) this.methodsEnding.set(owner, (wrapped = new Set()));
      if (wrapped.has(name)) continue;
      wrapped.add(name);
      const end = (self: object): void => endCounted(identity(self));
      if (owner === object) this.wrapOn(object, name, this.preceded(name, end));
      else this.before(owner, name, end);
    }
  }

  /** Closes an async iterator when it is left: by `return`, by `throw`, or at its end. */
  endsWithIterator(iterator: object): void {
    const close = (): void => this.state.run('iterator', () => endCounted(iterator));
    for (const name of ['next', 'return', 'throw'] as const) {
      this.wrapOn(iterator, name, (original) => {
        return {
          hooked(this: unknown, ...args: unknown[]): unknown {
            const step = Reflect.apply(original, this, args) as Promise<IteratorResult<unknown>>;
            if (name !== 'next') {
              close();
              return step;
            }
            // A promise of our own, so that a rejection nobody handles still counts as unhandled.
            return step.then(
              (result) => {
                if (result.done) close();
                return result;
              },
              (error: unknown) => {
                close();
                throw error;
              },
            );
          },
        }.hooked;
      });
    }
  }

  /** Runs `then` with every message of a diagnostics channel of Node. */
  channel(name: string, then: (message: Record<string, object>) => void): void {
    const { state } = this;
    const listener = (message: unknown): void => state.pass(name, then, message as Record<string, object>);
    subscribe(name, listener);
    this.stopping.push(() => unsubscribe(name, listener));
  }

  /** Runs `apply` for every module file of an npm package, loaded or to be loaded, whatever name it is installed under. */
  library(packageName: string, apply: (loaded: LoadedModule) => void): void {
    this.libraries.add(packageName, (loaded) => this.state.run(`library ${packageName}`, () => apply(loaded)));
  }

  /**
   * Runs `then` for every instance made with `new target[key]()`. Only for constructors that call none of their own
   * methods: those are hooked through that method, which leaves the class untouched.
   */
  constructs(target: object, key: string, then: (instance: object) => void): void {
    const original = (target as Record<string, unknown>)[key];
    if (typeof original !== 'function') return;
    const counted = this.counting(original, then);
    if (this.patches.replace(target, key, counted)) this.showAsClass(original, counted);
  }

  /** The same for a class that is itself what a module exports. */
  countedClass<T extends object>(original: T, then: (instance: object) => void): T {
    const counted = this.counting(original, then);
    this.showAsClass(original, counted);
    return counted;
  }

  private counting<T extends object>(original: T, then: (instance: object) => void): T {
    const { state } = this;
    const proxy: T = new Proxy(original, {
      construct(constructor, args, newTarget): object {
        const target = newTarget === proxy ? constructor : newTarget;
        const instance = Reflect.construct(constructor as never, args, target as never) as object;
        state.run('constructor', () => then(instance));
        return instance;
      },
    });
    return proxy;
  }

  /** Whoever asks an instance for its class compares with the one that is exported. */
  private showAsClass(original: object, exported: object): void {
    const prototype = (original as { prototype?: unknown }).prototype as object | undefined;
    if (prototype && Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value === original) {
      this.patches.replace(prototype, 'constructor', exported);
    }
  }

  /** Runs `stop` when the ledger stops. */
  onStop(stop: () => void): void {
    this.stopping.push(stop);
  }

  stop(): void {
    for (const { object, key, value, isListener } of this.ownWraps.splice(0)) {
      const target = object.deref();
      const put = value.deref();
      if (!target || !put) continue;
      try {
        if (isListener) (target as EventEmitter).removeListener(key, put as () => void);
        else this.unwrap(target, key, put);
      } catch (error) {
        this.state.failed('stop', error);
      }
    }
    for (const stop of this.stopping.splice(0)) {
      try {
        stop();
      } catch (error) {
        this.state.failed('stop', error);
      }
    }
  }
}

function ownerOf(object: object, name: string): object | null {
  for (let owner: object | null = object; owner; owner = Object.getPrototypeOf(owner) as object | null) {
    if (Object.hasOwn(owner, name)) return owner;
  }
  return null;
}
