import { type EventEmitter, getEventListeners } from 'node:events';
import type { KindCounter } from '../counting/kind-counter.js';
import { type LedgerRecord, recordOf } from '../counting/record-slot.js';

/** So many listeners of one event are counted before it is looked whether they are still there. */
const MIN_LOOK = 64;

/** One listener that was added, and what counts it. */
interface Added {
  /** The target lets go of some by itself, and of some only when nobody else holds them: they are never held from here. */
  readonly listener: WeakRef<object>;
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

  has(type: PropertyKey, listener: object): boolean {
    return this.events.get(type)?.byListener.has(listener) === true;
  }

  opened(type: PropertyKey, listener: object): void {
    const token = { emitter: this.object };
    this.counter.open(token);
    if (!recordOf(token)) return;
    const { byListener, all } = this.of(type);
    const added = { listener: new WeakRef(listener), token };
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

  /** To be called before it is removed. */
  closed(type: PropertyKey, listener: unknown): void {
    const event = this.events.get(type);
    if (!event) return;
    const known = event.byListener.get(listener as object);
    const added = known?.pop();
    if (added) {
      if (known?.length === 0) event.byListener.delete(listener as object);
      event.all.delete(added);
      this.counter.close(added.token);
    } else if (event.earlier.length > 0 && this.present(type).includes(listener)) {
      this.counter.close(event.earlier.pop() as object);
    }
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
    const present = this.present(type);
    const isPresent = new Set(present);
    for (const added of event.all) {
      const listener = added.listener.deref();
      if (listener !== undefined && isPresent.has(listener)) continue;
      if (listener !== undefined) event.byListener.delete(listener);
      event.all.delete(added);
      this.counter.close(added.token);
    }
    const othersCount = present.filter((listener) => !event.byListener.has(listener as object)).length;
    for (const token of event.earlier.splice(othersCount)) this.counter.close(token);
    event.lookAt = Math.max(MIN_LOOK, 2 * event.all.size);
  }

  /** The same whenever there are twice as many as the last time: for what a target has let go of when nobody could see it. */
  keepUp(type: PropertyKey): void {
    const event = this.events.get(type);
    if (event && event.all.size >= event.lookAt) this.settle(type);
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

/** `once` of an emitter adds a wrapper of the listener it was given. */
export function original(listener: unknown): object {
  return ((listener as { listener?: object } | undefined)?.listener ?? listener) as object;
}
