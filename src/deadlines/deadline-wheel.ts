const DEFAULT_TICK_MS = 10;
const SLOT_COUNT = 512;

/** Something with a deadline. The links belong to the wheel that holds it. */
export abstract class WheelEntry {
  /** Monotonic ms (`performance.now()`). */
  abstract readonly dueAt: number;
  /** Called once, when the deadline has passed and the entry was not removed. */
  abstract onDue(): void;

  wheelPrevious: WheelEntry | undefined;
  wheelNext: WheelEntry | undefined;
  /** -1: in no wheel. */
  wheelSlot = -1;
}

/**
 * Many deadlines on one timer. An entry is due at most one tick late (later only when the process itself is stuck), and
 * adding and removing costs a few field writes, where a timer of its own per command costs a tenth of the whole command.
 * The timer runs only while entries wait, and never holds the process.
 */
export class DeadlineWheel {
  private readonly slots: (WheelEntry | undefined)[] = new Array<WheelEntry | undefined>(SLOT_COUNT).fill(undefined);
  private timer: NodeJS.Timeout | undefined;
  private lastTick = 0;
  private size = 0;

  /** @param tickMs how often the timer looks, while entries wait */
  constructor(private readonly tickMs = DEFAULT_TICK_MS) {}

  /** How many entries wait. */
  get count(): number {
    return this.size;
  }

  add(entry: WheelEntry): void {
    if (this.timer === undefined) this.start();
    // A slot that was served already would be looked at one whole turn later.
    const tick = Math.max(Math.ceil(entry.dueAt / this.tickMs), this.lastTick + 1);
    const slot = tick % SLOT_COUNT;
    const head = this.slots[slot];
    entry.wheelSlot = slot;
    entry.wheelPrevious = undefined;
    entry.wheelNext = head;
    if (head !== undefined) head.wheelPrevious = entry;
    this.slots[slot] = entry;
    this.size++;
  }

  /** Does nothing when the entry is not in the wheel. */
  remove(entry: WheelEntry): void {
    if (entry.wheelSlot < 0) return;
    const { wheelPrevious: previous, wheelNext: next } = entry;
    if (previous === undefined) this.slots[entry.wheelSlot] = next;
    else previous.wheelNext = next;
    if (next !== undefined) next.wheelPrevious = previous;
    entry.wheelPrevious = undefined;
    entry.wheelNext = undefined;
    entry.wheelSlot = -1;
    this.size--;
  }

  /** Every entry that waits. */
  entries(): WheelEntry[] {
    const found: WheelEntry[] = [];
    for (const head of this.slots) {
      for (let entry = head; entry !== undefined; entry = entry.wheelNext) found.push(entry);
    }
    return found;
  }

  /** Stops the timer. Entries that still wait are never due. */
  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private start(): void {
    this.lastTick = Math.floor(performance.now() / this.tickMs);
    this.timer = setInterval(() => this.turn(), this.tickMs);
    this.timer.unref();
  }

  private turn(): void {
    if (this.size === 0) return this.close();
    const now = performance.now();
    const tick = Math.floor(now / this.tickMs);
    const due: WheelEntry[] = [];
    for (let next = Math.max(this.lastTick + 1, tick - SLOT_COUNT + 1); next <= tick; next++) {
      for (let entry = this.slots[next % SLOT_COUNT]; entry !== undefined; entry = entry.wheelNext) {
        if (entry.dueAt <= now) due.push(entry);
      }
    }
    this.lastTick = tick;
    for (const entry of due) {
      // One deadline may have answered for another.
      if (entry.wheelSlot < 0) continue;
      this.remove(entry);
      entry.onDue();
    }
  }
}
