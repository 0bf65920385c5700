/** Turns of one asker that may wait. */
export const CROWD_COUNT = 32;

/** One who asks: a connection. */
export interface Asker {
  /** It does not take its replies now, so no further ones are made for it. */
  readonly isBlocked: boolean;
  /** So many of its turns wait that it shall send nothing more until it is told otherwise. */
  setCrowded(isCrowded: boolean): void;
}

/** A command that waits for its turn. */
export interface Turn {
  /** What its reply may hold at most, in bytes. */
  readonly replyBytes: number;
  /** Nobody waits for it any more. */
  readonly isOver: boolean;
  /** Its turn has come. Must end with {@link ReplyTurns.giveBack}. */
  start(): void;
}

/**
 * Bounds what the replies in the making hold. A small request may ask for a long reply: two thousand of them at once would
 * fill the heap with pages before the first byte is sent. So only so many are made at a time; the others wait, each
 * connection in its own queue, and the connections take turns: who asks for a thousand pages delays nobody by more than
 * the one page that is being made for him. With {@link CROWD_COUNT} in its queue a connection is not read, so that its
 * further requests wait where they cost us nothing, and their deadlines do not begin yet.
 */
export class ReplyTurns {
  private takenBytes = 0;
  /** In the order in which their turn comes. Only those with a queue. */
  private readonly queues = new Map<Asker, Turn[]>();
  private isPumping = false;

  constructor(private readonly maxBytes: number) {}

  /** Commands that wait. */
  get waitingCount(): number {
    let count = 0;
    for (const queue of this.queues.values()) count += queue.length;
    return count;
  }

  /** Starts the turn, now or when there is room. */
  ask(asker: Asker, turn: Turn): void {
    if (this.queues.size === 0 && !asker.isBlocked && this.hasRoom(turn)) return this.begin(turn);
    const queue = this.queues.get(asker) ?? [];
    if (queue.push(turn) === 1) this.queues.set(asker, queue);
    else if (queue.length === CROWD_COUNT) asker.setCrowded(true);
    this.pump();
  }

  /** The reply is made, or is not going to be. */
  giveBack(bytes: number): void {
    this.takenBytes -= bytes;
    this.pump();
  }

  /** The asker is gone: its turns never come. @returns those that waited */
  forget(asker: Asker): readonly Turn[] {
    const queue = this.queues.get(asker) ?? [];
    this.queues.delete(asker);
    return queue;
  }

  /** Gives out turns while there is room: after an asker takes its replies again, say. */
  pump(): void {
    // A turn that ends at once would come back here for each of those that wait.
    if (this.isPumping) return;
    this.isPumping = true;
    try {
      while (this.next());
    } finally {
      this.isPumping = false;
    }
  }

  /** @returns whether a turn was given out */
  private next(): boolean {
    for (const [asker, queue] of this.queues) {
      while (queue.length > 0 && queue[0].isOver) this.shift(asker, queue);
      if (queue.length === 0) {
        this.queues.delete(asker);
        continue;
      }
      if (asker.isBlocked) continue;
      const [turn] = queue;
      if (!this.hasRoom(turn)) return false;
      this.shift(asker, queue);
      // To the end of the row.
      this.queues.delete(asker);
      if (queue.length > 0) this.queues.set(asker, queue);
      this.begin(turn);
      return true;
    }
    return false;
  }

  private shift(asker: Asker, queue: Turn[]): void {
    if (queue.length === CROWD_COUNT) asker.setCrowded(false);
    queue.shift();
  }

  private begin(turn: Turn): void {
    this.takenBytes += turn.replyBytes;
    turn.start();
  }

  /** One reply longer than all the room must have its turn, too. */
  private hasRoom({ replyBytes }: Turn): boolean {
    return this.takenBytes === 0 || this.takenBytes + replyBytes <= this.maxBytes;
  }
}
