import { Inject, Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { ReadinessChecks } from '../lifecycle/readiness-checks.js';

/** What the features (the engine, …) say about themselves, each under its own name. */
@Injectable()
export class FeaturesIndicator {
  constructor(
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
    @Inject(ReadinessChecks) private readonly checks: ReadinessChecks,
  ) {}

  check(): HealthIndicatorResult {
    const result: HealthIndicatorResult = {};
    for (const [name, answer] of this.checks.read()) {
      const session = this.indicators.check(name);
      Object.assign(result, answer === 'up' ? session.up() : session.down(answer.down));
    }
    return result;
  }
}
