import { Global, Module } from '@nestjs/common';
import { InFlight } from './in-flight.js';
import { ServingState } from './serving-state.js';

/** What every other module needs to end well. */
@Global()
@Module({
  providers: [InFlight, ServingState],
  exports: [InFlight, ServingState],
})
export class LifecycleModule {}
