import { Injectable } from '@nestjs/common';

/** Counts work under way (commands, runs) so that a shutdown can wait for it. */
@Injectable()
export class InFlight {
  private readonly counts = new Map<string, number>();
  private readonly idleWaiters = new Set<() => void>();

  /** How many pieces of this kind of work are under way, or of all kinds. */
  count(kind?: string): number {
    if (kind !== undefined) return this.counts.get(kind) ?? 0;
    let total = 0;
    for (const count of this.counts.values()) total += count;
    return total;
  }

  /** Every kind seen so far with how many pieces of it are under way. */
  byKind(): Record<string, number> {
    return Object.fromEntries(this.counts);
  }

  /** Counts one piece of work; the returned function ends it, once however often it is called. */
  begin(kind: string): () => void {
    this.counts.set(kind, this.count(kind) + 1);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.counts.set(kind, this.count(kind) - 1);
      for (const wakeIfIdle of this.idleWaiters) wakeIfIdle();
    };
  }

  /** Resolves to true when nothing (of this kind, if one is given) is under way any more, to false after `timeoutMs`. */
  async idle(timeoutMs: number, kind?: string): Promise<boolean> {
    if (this.count(kind) === 0) return true;
    return new Promise<boolean>((resolve) => {
      const settle = (drained: boolean) => {
        clearTimeout(timer);
        this.idleWaiters.delete(wakeIfIdle);
        resolve(drained);
      };
      const wakeIfIdle = () => {
        if (this.count(kind) === 0) settle(true);
      };
      const timer = setTimeout(() => settle(false), timeoutMs);
      this.idleWaiters.add(wakeIfIdle);
    });
  }
}
