import { type EventEmitter, getEventListeners } from 'node:events';
import type { KindCounter } from '../counting/kind-counter.js';
import { type LedgerRecord, recordOf } from '../counting/record-slot.js';

/** So many listeners of one event are counted before it is looked whether they are still there. */
const MIN_LOOK = 64;

/** One listener that was added, and what counts it. */
interface Added {
  /** The target lets go of some by itself, and of some only when nobody else holds them: they are never held from here. */
  readonly listener: WeakRef<object>;
  /** An event target knows one listener twice, once for each phase. */
  readonly capture: boolean;
  readonly token: object;
}

/** What is counted of one event. */
interface EventListeners {
  /** A listener may be added many times to an emitter: each adding is a resource of its own. */
  readonly byListener: WeakMap<object, Added[]>;
  readonly all: Set<Added>;
  /** Tokens of those that were there before anybody counted. */
  readonly earlier: object[];
  lookAt: number;
}

/** The listeners of one emitter or event target that are counted, by event. */
export class CountedListeners {
  private readonly events = new Map<PropertyKey, EventListeners>();

  constructor(
    private readonly object: object,
    private readonly counter: KindCounter,
  ) {}

  has(type: PropertyKey, listener: object, capture: boolean): boolean {
    return indexOf(this.events.get(type)?.byListener.get(listener), capture) >= 0;
  }

  opened(type: PropertyKey, listener: object, capture = false): void {
    const token = { emitter: this.object };
    this.counter.open(token);
    if (!recordOf(token)) return;
    const { byListener, all } = this.of(type);
    const added = { listener: new WeakRef(listener), capture, token };
    all.add(added);
    const known = byListener.get(listener);
    if (known) known.push(added);
    else byListener.set(listener, [added]);
  }

  /** One that was there before, under the line of `site`. */
  openedEarlier(type: PropertyKey, site: LedgerRecord): void {
    const token = { emitter: this.object };
    this.counter.openWith(site, token);
    if (recordOf(token)) this.of(type).earlier.push(token);
  }

  /** To be called before it is removed of an emitter. */
  closed(type: PropertyKey, listener: unknown): void {
    const event = this.events.get(type);
    if (!event || this.closedOne(event, listener, false)) return;
    if (event.earlier.length > 0 && this.present(type).includes(listener)) {
      this.counter.close(event.earlier.pop() as object);
    }
  }

  /**
   * To be called after it was removed of an event target, which leaves it there when it was added for the other phase. What Node takes for
   * the phase of capture differs by version, so that it is looked where that may be meant.
   */
  closedFor(type: PropertyKey, listener: unknown, mayBeCapture: boolean): void {
    const event = this.events.get(type);
    if (!event || (!mayBeCapture && this.closedOne(event, listener, false))) return;
    if (event.earlier.length > 0 || event.byListener.has(listener as object)) this.settle(type);
  }

  closedAll(type: PropertyKey | undefined): void {
    const types = type === undefined ? [...this.events.keys()] : [type];
    for (const each of types) {
      const event = this.events.get(each);
      for (const { token } of event?.all ?? []) this.counter.close(token);
      for (const token of event?.earlier ?? []) this.counter.close(token);
      this.events.delete(each);
    }
  }

  /** Closes those of an event target that are no longer there. */
  settle(type: PropertyKey): void {
    const event = this.events.get(type);
    if (!event) return;
    /** How often each is there, less those that were found to be counted. */
    const present = new Map<unknown, number>();
    let othersCount = 0;
    for (const listener of this.present(type)) {
      present.set(listener, (present.get(listener) ?? 0) + 1);
      othersCount += 1;
    }
    for (const added of event.all) {
      const listener = added.listener.deref();
      const count = listener === undefined ? 0 : (present.get(listener) ?? 0);
      if (count === 0) {
        this.drop(event, added, listener);
        continue;
      }
      present.set(listener, count - 1);
      othersCount -= 1;
    }
    for (const token of event.earlier.splice(othersCount)) this.counter.close(token);
    event.lookAt = Math.max(MIN_LOOK, 2 * event.all.size);
  }

  /** The same whenever there are twice as many as the last time: for what a target has let go of when nobody could see it. */
  keepUp(type: PropertyKey): void {
    const event = this.events.get(type);
    if (event && event.all.size >= event.lookAt) this.settle(type);
  }

  /** @returns whether it was one that is counted */
  private closedOne(event: EventListeners, listener: unknown, capture: boolean): boolean {
    const known = event.byListener.get(listener as object);
    const at = indexOf(known, capture);
    if (known === undefined || at < 0) return false;
    this.drop(event, known[at], listener as object);
    return true;
  }

  private drop(event: EventListeners, added: Added, listener: object | undefined): void {
    const known = listener && event.byListener.get(listener);
    if (known?.length === 1) event.byListener.delete(listener as object);
    else known?.splice(known.lastIndexOf(added), 1);
    event.all.delete(added);
    this.counter.close(added.token);
  }

  private of(type: PropertyKey): EventListeners {
    let event = this.events.get(type);
    if (!event) {
      event = { byListener: new WeakMap(), all: new Set(), earlier: [], lookAt: MIN_LOOK };
      this.events.set(type, event);
    }
    return event;
  }

  private present(type: PropertyKey): unknown[] {
    return getEventListeners(this.object as EventEmitter, type as string).map(original);
  }
}

/** Where the newest of them for this phase is; -1: nowhere. */
function indexOf(known: readonly Added[] | undefined, capture: boolean): number {
  let at = (known?.length ?? 0) - 1;
  while (known !== undefined && at >= 0 && known[at].capture !== capture) at -= 1;
  return at;
}

/** `once` of an emitter adds a wrapper of the listener it was given. */
export function original(listener: unknown): object {
  return ((listener as { listener?: object } | undefined)?.listener ?? listener) as object;
}
