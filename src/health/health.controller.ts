import { Controller, Get, Header, HttpException, HttpStatus, Inject } from '@nestjs/common';
import type { HealthReport } from '../lifecycle/readiness.js';
import { HealthService } from './health.service.js';

/**
 * `GET /livez`, `GET /readyz`: 200 when well, 503 when not, both with the same body as `system.health`.
 * No token is asked for: a kubelet has none, and the answer holds nothing but names and states.
 * Both are served until the HTTP server itself closes, which comes after the drain.
 */
@Controller()
export class HealthController {
  constructor(@Inject(HealthService) private readonly health: HealthService) {}

  /** Liveness: the process turns its event loop. */
  @Get('livez')
  @Header('Cache-Control', 'no-store')
  // A kept-alive probe connection would hold up the close of the HTTP server.
  @Header('Connection', 'close')
  async livez(): Promise<HealthReport> {
    return this.health.alive();
  }

  /** Readiness: this replica takes new work. */
  @Get('readyz')
  @Header('Cache-Control', 'no-store')
  @Header('Connection', 'close')
  async readyz(): Promise<HealthReport> {
    const report = await this.health.check();
    if (report.status !== 'ok') throw new HttpException(report, HttpStatus.SERVICE_UNAVAILABLE);
    return report;
  }
}
