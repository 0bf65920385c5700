type AnyFunction = (...args: never[]) => unknown;

interface Patch {
  readonly target: object;
  readonly key: PropertyKey;
  /** Undefined: the property was inherited, so it is deleted again. */
  readonly before: PropertyDescriptor | undefined;
  readonly after: unknown;
}

/** Replaced properties, and the way back. */
export class Patches {
  private readonly list: Patch[] = [];
  /** What could not be replaced (frozen, not configurable), for the report. */
  readonly refused: string[] = [];

  /** @returns false when the property cannot be replaced */
  replace(target: object, key: PropertyKey, value: unknown): boolean {
    const before = Object.getOwnPropertyDescriptor(target, key);
    const descriptor: PropertyDescriptor = {
      value,
      writable: true,
      configurable: true,
      enumerable: before ? before.enumerable : false,
    };
    try {
      Object.defineProperty(target, key, descriptor);
    } catch {
      this.refused.push(String(key));
      return false;
    }
    this.list.push({ target, key, before, after: value });
    return true;
  }

  /** Puts everything back, last first. What somebody else has wrapped since is left to them: our part of it is inert. */
  undo(): void {
    for (const { target, key, before, after } of this.list.splice(0).reverse()) {
      try {
        if (Object.getOwnPropertyDescriptor(target, key)?.value !== after) continue;
        if (before) Object.defineProperty(target, key, before);
        else delete (target as Record<PropertyKey, unknown>)[key];
      } catch {
        this.refused.push(String(key));
      }
    }
  }
}

/** Gives a wrapper the name, length, prototype and own properties (symbols, getters) of what it stands for. */
export function dressAs<T extends AnyFunction>(wrapper: T, original: AnyFunction): T {
  for (const key of Reflect.ownKeys(original)) {
    const descriptor = Object.getOwnPropertyDescriptor(original, key);
    const own = Object.getOwnPropertyDescriptor(wrapper, key);
    if (!descriptor || (own && !own.configurable && !own.writable)) continue;
    try {
      Object.defineProperty(wrapper, key, descriptor);
    } catch {
      // `prototype` of an arrow function and the like: not present on the wrapper, and not missed.
    }
  }
  return wrapper;
}
