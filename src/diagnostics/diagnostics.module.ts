import {
  type DynamicModule,
  Inject,
  Logger,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import type { DiagnosticsSource } from './diagnostics-source.js';
import { DiagnosticsMiddleware } from './diagnostics.middleware.js';
import type { DiagnosticsOptions } from './diagnostics.options.js';
import { Diagnostics } from './diagnostics.js';

/**
 * Serves the diagnostics in any Nest HTTP application:
 *
 *     @Module({ imports: [DiagnosticsModule.forRoot({ token: process.env.DIAGNOSTICS_TOKEN })] })
 *     export class AppModule {}
 */
@Module({})
export class DiagnosticsModule implements NestModule, OnModuleInit, OnModuleDestroy, OnApplicationShutdown {
  static forRoot({ token, sources = [], controllers = [], imports = [] }: DiagnosticsOptions = {}): DynamicModule {
    const sourceClasses = sources.filter(isClass);
    return {
      module: DiagnosticsModule,
      imports: [...imports],
      controllers: [...controllers],
      providers: [
        ...sourceClasses,
        {
          provide: Diagnostics,
          inject: sourceClasses,
          useFactory: (...made: DiagnosticsSource[]) =>
            new Diagnostics({
              token,
              // In the order in which they were given, made by Nest or not.
              sources: sources.map((source) => (isClass(source) ? made[sourceClasses.indexOf(source)]! : source)),
              log: nestLog(),
            }),
        },
      ],
      exports: [Diagnostics],
    };
  }

  constructor(@Inject(Diagnostics) private readonly diagnostics: Diagnostics) {}

  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(DiagnosticsMiddleware).forRoutes('{*path}');
  }

  onModuleInit(): void {
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

function nestLog() {
  const logger = new Logger('Diagnostics');
  return { info: (message: string) => logger.log(message), warn: (message: string) => logger.warn(message) };
}

function isClass(source: DiagnosticsSource | Type<DiagnosticsSource>): source is Type<DiagnosticsSource> {
  return typeof source === 'function';
}
