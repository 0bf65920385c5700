import { Global, Module } from '@nestjs/common';
import { InFlight } from './in-flight.js';
import { ReadinessChecks } from './readiness-checks.js';
import { ServingState } from './serving-state.js';

/** What every other module needs to end well. */
@Global()
@Module({
  providers: [InFlight, ServingState, ReadinessChecks],
  exports: [InFlight, ServingState, ReadinessChecks],
})
export class LifecycleModule {}
