import { ConfigurableModuleBuilder, type DynamicModule, Logger, type Type } from '@nestjs/common';
import type { DiagnosticsSource } from './diagnostics-source.js';
import type { DiagnosticsParts, DiagnosticsSettings } from './diagnostics.options.js';
import { Diagnostics } from './diagnostics.js';
import type { LifeArchive } from './recorder/life-archive.js';

/** `forRoot` and `forRootAsync` (useFactory, useClass, useExisting), as Nest itself makes them. */
export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<DiagnosticsSettings>({ moduleName: 'Diagnostics' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createDiagnosticsOptions')
    .setExtras<DiagnosticsParts>({ sources: [], controllers: [], imports: [], archive: undefined }, withDiagnostics)
    .build();

function withDiagnostics(definition: DynamicModule, parts: DiagnosticsParts): DynamicModule {
  const { sources = [], controllers = [], imports = [], archive } = parts;
  const sourceClasses = sources.filter(isClass);
  return {
    ...definition,
    imports: [...new Set([...(definition.imports ?? []), ...imports])],
    controllers: [...controllers],
    providers: [
      ...(definition.providers ?? []),
      ...sourceClasses,
      ...(archive === undefined ? [] : [archive]),
      {
        provide: Diagnostics,
        inject: [
          MODULE_OPTIONS_TOKEN,
          archive === undefined ? { token: 'no archive', optional: true } : archive,
          ...sourceClasses,
        ],
        useFactory: (
          settings: DiagnosticsSettings,
          madeArchive: LifeArchive | undefined,
          ...made: DiagnosticsSource[]
        ) =>
          new Diagnostics({
            token: settings.token,
            trustLoopback: settings.trustLoopback,
            metrics: settings.metrics,
            sources: [
              // In the order in which they were given, made by Nest or not.
              ...sources.map((source) => (isClass(source) ? made[sourceClasses.indexOf(source)]! : source)),
              ...(settings.sources ?? []),
            ],
            recorder: settings.recorder,
            archive: madeArchive,
            heapSampling: settings.heapSampling,
            log: nestLog(),
          }),
      },
    ],
    exports: [Diagnostics],
  };
}

function nestLog() {
  const logger = new Logger('Diagnostics');
  return { info: (message: string) => logger.log(message), warn: (message: string) => logger.warn(message) };
}

function isClass(source: DiagnosticsSource | Type<DiagnosticsSource>): source is Type<DiagnosticsSource> {
  return typeof source === 'function';
}
