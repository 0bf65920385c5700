import type { Server } from 'node:net';
import {
  type DynamicModule,
  Inject,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { DiagnosticsMiddleware } from './diagnostics.middleware.js';
import {
  type ASYNC_OPTIONS_TYPE,
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
} from './diagnostics.module-definition.js';
import type { DiagnosticsOptions, DiagnosticsParts, DiagnosticsSettings } from './diagnostics.options.js';
import { Diagnostics } from './diagnostics.js';
import { refuseWideListening } from './http/refuse-wide-listening.js';

/**
 * Serves the diagnostics in any Nest HTTP application:
 *
 *     @Module({ imports: [DiagnosticsModule.forRoot({ token: process.env.DIAGNOSTICS_TOKEN })] })
 *     export class AppModule {}
 *
 * An application that listens beyond loopback needs a token, or `insecure: true`: without, its `listen` rejects with
 * WideBindError (code INSECURE_BIND).
 */
@Module({})
export class DiagnosticsModule
  extends ConfigurableModuleClass
  implements NestModule, OnModuleInit, OnModuleDestroy, OnApplicationShutdown
{
  static override forRoot(options: DiagnosticsOptions = {}): DynamicModule {
    // `sources` is one of the parts, which Nest's builder takes out of the settings.
    return super.forRoot(options as DiagnosticsSettings & DiagnosticsParts);
  }

  /** The same with settings that other providers have to be asked for: `useFactory`, `useClass` or `useExisting`. */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }

  constructor(
    @Inject(Diagnostics) private readonly diagnostics: Diagnostics,
    @Inject(MODULE_OPTIONS_TOKEN) private readonly settings: DiagnosticsSettings,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {
    super();
  }

  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(DiagnosticsMiddleware).forRoutes('{*path}');
  }

  onModuleInit(): void {
    const { token, insecure = false } = this.settings;
    // An application without HTTP has no adapter, or one without a server.
    const server = this.adapterHost.httpAdapter?.getHttpServer() as Server | undefined;
    if (!token && !insecure && typeof server?.listen === 'function') refuseWideListening(server);
    this.diagnostics.start();
  }

  onModuleDestroy(): void {
    this.diagnostics.endLongAnswers();
  }

  /** After the HTTP server has closed, so that it answers during the drain. */
  async onApplicationShutdown(): Promise<void> {
    await this.diagnostics.stop();
  }
}
