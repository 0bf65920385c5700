import { Inject, Injectable, Logger, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, type HealthCheckResult, type HealthIndicatorResult } from '@nestjs/terminus';
import { type HealthReport, Readiness } from '../lifecycle/readiness.js';
import { ServingState } from '../lifecycle/serving-state.js';
import { EventLoopIndicator } from './event-loop.indicator.js';
import { FeaturesIndicator } from './features.indicator.js';
import { RedisIndicator } from './redis.indicator.js';
import { ServingIndicator } from './serving.indicator.js';

/** Knows whether this replica can take work. A check opens no connection and ends within the deadline of its slowest indicator. */
@Injectable()
export class HealthService implements Readiness {
  private readonly logger = new Logger('Health');
  private lastLogged = '';

  constructor(
    @Inject(HealthCheckService) private readonly terminus: HealthCheckService,
    @Inject(ServingState) private readonly serving: ServingState,
    @Inject(EventLoopIndicator) private readonly eventLoop: EventLoopIndicator,
    @Inject(ServingIndicator) private readonly servingIndicator: ServingIndicator,
    @Inject(RedisIndicator) private readonly redis: RedisIndicator,
    @Inject(FeaturesIndicator) private readonly features: FeaturesIndicator,
  ) {}

  /** Readiness: serving, Redis answers, every feature is up. `shutting_down` from the first shutdown hook on. */
  async check(): Promise<HealthReport> {
    const result = await this.runIndicators();
    const report: HealthReport = {
      // Terminus knows of a shutdown one hook later than ServingState does.
      status: this.serving.isDraining ? 'shutting_down' : result.status,
      checks: asChecks(result.details),
    };
    this.logChange(report);
    return report;
  }

  /**
   * Liveness: the event loop turns. Depends on nothing outside the process (a restart heals no Redis) and stays `ok`
   * while draining, which terminus would report as a failure: so its executor is not asked.
   */
  async alive(): Promise<HealthReport> {
    return { status: 'ok', checks: asChecks(await this.eventLoop.check()) };
  }

  private async runIndicators(): Promise<HealthCheckResult> {
    try {
      // Later ones win where names collide: no feature can hide Redis or the serving state.
      return await this.terminus.check([
        () => this.features.check(),
        () => this.redis.check(),
        () => this.servingIndicator.check(),
      ]);
    } catch (error) {
      if (error instanceof ServiceUnavailableException) return error.getResponse() as HealthCheckResult;
      throw error;
    }
  }

  /** One line per change, not per probe. */
  private logChange({ status, checks }: HealthReport): void {
    const down = Object.entries(checks).filter(([, check]) => check.status === 'down');
    const line =
      down.length === 0
        ? 'ready'
        : `not ready: ${down.map(([name, check]) => `${name} (${check.message ?? 'down'})`).join(', ')}`;
    if (line === this.lastLogged) return;
    this.lastLogged = line;
    if (status === 'error') this.logger.warn(line);
    else this.logger.log(line);
  }
}

function asChecks(details: HealthIndicatorResult): HealthReport['checks'] {
  const checks: HealthReport['checks'] = {};
  for (const [name, { status, message }] of Object.entries(details) as [
    string,
    { status: string; message?: unknown },
  ][]) {
    const entry: HealthReport['checks'][string] = { status: status === 'up' ? 'up' : 'down' };
    if (typeof message === 'string') entry.message = message;
    checks[name] = entry;
  }
  return checks;
}
