import { setImmediate as nextTurn } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';

/** Whether the event loop turns. There is no "down": on a loop that is stuck the probe gets no answer at all. */
@Injectable()
export class EventLoopIndicator {
  constructor(@Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService) {}

  async check(): Promise<HealthIndicatorResult> {
    await nextTurn();
    return this.indicators.check('eventLoop').up();
  }
}
