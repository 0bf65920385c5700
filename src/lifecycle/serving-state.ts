import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

/** Whether this replica takes new work. `/readyz` and the transport read it. */
@Injectable()
export class ServingState implements OnApplicationBootstrap, OnModuleDestroy {
  private drainingSince?: number;
  private current: 'starting' | 'serving' | 'draining' = 'starting';

  get state(): 'starting' | 'serving' | 'draining' {
    return this.current;
  }

  get isDraining(): boolean {
    return this.current === 'draining';
  }

  onApplicationBootstrap(): void {
    if (this.current === 'starting') this.current = 'serving';
  }

  /** Turns readiness off, for good. A signal calls it before any hook: hooks of a global module run last. */
  drain(): void {
    this.current = 'draining';
    this.drainingSince ??= performance.now();
  }

  /** For an app that is closed without a signal. */
  onModuleDestroy(): void {
    this.drain();
  }

  /** How much of a drain's budget is left: commands and runs drain one after the other within the same one. */
  drainLeftMs(budgetMs: number): number {
    if (this.drainingSince === undefined) return budgetMs;
    return Math.max(0, budgetMs - (performance.now() - this.drainingSince));
  }
}
