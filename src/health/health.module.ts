import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { EventLoopIndicator } from './event-loop.indicator.js';
import { FeaturesIndicator } from './features.indicator.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';
import { Readiness } from '../lifecycle/readiness.js';
import { RedisIndicator } from './redis.indicator.js';
import { ServingIndicator } from './serving.indicator.js';
import { RunsModule } from '../runs/runs.module.js';
import { AgentsModule } from '../agents/agents.module.js';
import { SchedulesModule } from '../schedules/schedules.module.js';
import { TransportModule } from '../transport/transport.module.js';
import { SystemHealthController } from './system-health.controller.js';
import { SystemStatsController } from './system-stats.controller.js';

/** `/livez`, `/readyz` and `system.health`. Needs RedisModule and LifecycleModule, which are global. */
@Module({
  imports: [
    AgentsModule,
    RunsModule,
    SchedulesModule,
    TransportModule,
    TerminusModule.forRoot({
      // It would write an error line per failing probe; HealthService writes one per change.
      logger: false,
      // The drain has its own order and deadline; terminus must not sleep in between.
      gracefulShutdownTimeoutMs: 0,
    }),
  ],
  controllers: [HealthController, SystemHealthController, SystemStatsController],
  providers: [
    HealthService,
    { provide: Readiness, useExisting: HealthService },
    EventLoopIndicator,
    ServingIndicator,
    RedisIndicator,
    FeaturesIndicator,
  ],
  exports: [HealthService, Readiness],
})
export class HealthModule {}
