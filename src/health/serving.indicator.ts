import { Inject, Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { ServingState } from '../lifecycle/serving-state.js';

const reasons = { starting: 'still starting', draining: 'shutting down' } as const;

/** Whether this replica takes new work: started, and not draining. */
@Injectable()
export class ServingIndicator {
  constructor(
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
    @Inject(ServingState) private readonly serving: ServingState,
  ) {}

  check(): HealthIndicatorResult {
    const session = this.indicators.check('serving');
    const { state } = this.serving;
    return state === 'serving' ? session.up() : session.down(reasons[state]);
  }
}
