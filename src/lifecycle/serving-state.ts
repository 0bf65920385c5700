import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

/** Whether this replica takes new work. `/readyz` and the transport read it. */
@Injectable()
export class ServingState implements OnApplicationBootstrap, OnModuleDestroy {
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

  /** First of all shutdown hooks: readiness goes off before anything is closed. */
  onModuleDestroy(): void {
    this.current = 'draining';
  }
}
