import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';

/** The places for runs of this replica, MAX_CONCURRENT_RUNS of them, whoever brings the runs. */
@Injectable()
export class RunSlots {
  private freeCount: number;
  private waiting: ((granted: boolean) => void) | undefined;
  private freed: (() => void) | undefined;
  private isClosed = false;

  constructor(@Inject(SETTINGS) { maxConcurrentRuns }: Pick<Settings, 'maxConcurrentRuns'>) {
    this.freeCount = maxConcurrentRuns;
  }

  /** Whether {@link take} waits. */
  get isAwaited(): boolean {
    return this.waiting !== undefined;
  }

  /** Takes as many as are free, `count` at most; none while {@link take} waits, nor once closed. @returns how many */
  tryTake(count: number): number {
    if (this.isClosed || this.waiting !== undefined) return 0;
    const taken = Math.min(count, this.freeCount);
    this.freeCount -= taken;
    return taken;
  }

  /** Takes one even though they are closed. @returns whether one was free */
  takeLast(): boolean {
    if (this.freeCount <= 0) return false;
    this.freeCount -= 1;
    return true;
  }

  /** Takes one, waiting for it; for one caller at a time. @returns false when the slots were closed meanwhile */
  async take(): Promise<boolean> {
    if (this.isClosed) return false;
    if (this.freeCount > 0) {
      this.freeCount -= 1;
      return true;
    }
    return new Promise<boolean>((resolve) => {
      this.waiting = resolve;
    });
  }

  give(count = 1): void {
    this.freeCount += count;
    if (this.waiting !== undefined && this.freeCount > 0) {
      this.freeCount -= 1;
      this.settle(true);
    }
    if (this.freeCount > 0) this.freed?.();
  }

  /** @param listener called whenever places are free that {@link take} does not wait for, whoever gave them back */
  whenFreed(listener: () => void): void {
    this.freed = listener;
  }

  /** No run gets a place any more, but for {@link takeLast}. */
  close(): void {
    this.isClosed = true;
    if (this.waiting !== undefined) this.settle(false);
  }

  private settle(granted: boolean): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.(granted);
  }
}
