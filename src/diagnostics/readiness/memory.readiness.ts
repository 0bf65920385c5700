import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ReadinessChecks } from '../../lifecycle/readiness-checks.js';
import { Diagnostics } from '../diagnostics.js';

/**
 * Takes this replica out of service while its memory is over the soft limit: what it holds can end, and what is new goes
 * elsewhere. Given by the composition, not by DiagnosticsModule: other applications have no ReadinessChecks.
 */
@Injectable()
export class MemoryReadiness implements OnModuleInit, OnApplicationShutdown {
  private remove: (() => void) | undefined;

  constructor(
    @Inject(Diagnostics) private readonly diagnostics: Diagnostics,
    @Inject(ReadinessChecks) private readonly checks: ReadinessChecks,
  ) {}

  onModuleInit(): void {
    this.remove = this.checks.add('memory', () => {
      const pressure = this.diagnostics.memoryPressure;
      return pressure === null ? 'up' : { down: `memory is close to the ${pressure.limit}` };
    });
  }

  onApplicationShutdown(): void {
    this.remove?.();
  }
}
