import { type DynamicModule, Module } from '@nestjs/common';
import { AgentsModule } from './agents/agents.module.js';
import { ConfigModule } from './config/config.module.js';
import type { Settings } from './config/settings.js';
import { DiagnosticsCommandsController } from './diagnostics/commands/diagnostics-commands.controller.js';
import { DiagnosticsModule } from './diagnostics/diagnostics.module.js';
import { MemoryReadiness } from './diagnostics/readiness/memory.readiness.js';
import { RedisLives } from './diagnostics/redis-lives/redis-lives.js';
import { InFlightSource } from './diagnostics/sources/in-flight.source.js';
import { QueuesSource } from './diagnostics/sources/queues.source.js';
import { ReadinessSource } from './diagnostics/sources/readiness.source.js';
import { RedisSource } from './diagnostics/sources/redis.source.js';
import { RunsSource } from './diagnostics/sources/runs.source.js';
import { TcpSource } from './diagnostics/sources/tcp.source.js';
import { TicksSource } from './diagnostics/sources/ticks.source.js';
import { HealthModule } from './health/health.module.js';
import { LifecycleModule } from './lifecycle/lifecycle.module.js';
import { RedisModule } from './redis/redis.module.js';
import { RunsModule } from './runs/runs.module.js';
import { SchedulesModule } from './schedules/schedules.module.js';
import { TransportModule } from './transport/transport.module.js';

/**
 * The service. The order of the imports is the order in which hooks run at the start; at shutdown it is the reverse
 * within each phase, so what others stand on comes first.
 */
@Module({})
export class AppModule {
  static forRoot(settings: Settings): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(settings),
        LifecycleModule,
        RedisModule,
        TransportModule,
        AgentsModule,
        RunsModule,
        SchedulesModule,
        HealthModule,
        DiagnosticsModule.forRoot({
          token: settings.diagnosticsToken,
          trustLoopback: settings.diagnosticsTrustLoopback,
          insecure: settings.insecureBind,
          heapSampling: settings.heapSampling,
          recorder: {
            directory: settings.evidenceDir,
            maxBytes: settings.evidenceMaxBytes,
            instance: settings.instanceName,
            intervalMs: settings.recorderIntervalMs,
            softLimitRatio: settings.memorySoftLimitRatio,
          },
          sources: [ReadinessSource, RedisSource, QueuesSource, RunsSource, TicksSource, TcpSource, InFlightSource],
          archive: settings.recorderRedisSamples > 0 ? RedisLives : undefined,
          controllers: [DiagnosticsCommandsController],
          imports: [TransportModule, RunsModule, SchedulesModule, HealthModule],
        }),
      ],
      providers: [MemoryReadiness],
    };
  }
}
