import { type DynamicModule, Module, type Provider, type Type } from '@nestjs/common';
import type { DiagnosticsSource } from './diagnostics-source.js';
import { DiagnosticsController } from './diagnostics.controller.js';
import { DiagnosticsGuard } from './diagnostics.guard.js';
import { DIAGNOSTICS_SOURCES, DIAGNOSTICS_TOKEN, type DiagnosticsOptions } from './diagnostics.options.js';
import { DiagnosticsService } from './diagnostics.service.js';
import { GroupsController } from './groups.controller.js';
import { GroupsService } from './groups.service.js';

/**
 * Serves `GET /diagnostics` in any Nest HTTP application:
 *
 *     @Module({ imports: [DiagnosticsModule.forRoot({ token: process.env.DIAGNOSTICS_TOKEN })] })
 *     export class AppModule {}
 */
@Module({})
export class DiagnosticsModule {
  static forRoot({ token, sources = [], controllers = [], imports = [] }: DiagnosticsOptions = {}): DynamicModule {
    const sourceClasses = sources.filter(isClass);
    const sourceProvider: Provider = {
      provide: DIAGNOSTICS_SOURCES,
      inject: sourceClasses,
      // In the order in which they were given, made by Nest or not.
      useFactory: (...made: DiagnosticsSource[]) =>
        sources.map((source) => (isClass(source) ? made[sourceClasses.indexOf(source)] : source)),
    };
    return {
      module: DiagnosticsModule,
      imports: [...imports],
      controllers: [DiagnosticsController, GroupsController, ...controllers],
      providers: [
        ...sourceClasses,
        sourceProvider,
        { provide: DIAGNOSTICS_TOKEN, useValue: token },
        DiagnosticsGuard,
        DiagnosticsService,
        GroupsService,
      ],
      exports: [DiagnosticsService, GroupsService],
    };
  }
}

function isClass(source: DiagnosticsSource | Type<DiagnosticsSource>): source is Type<DiagnosticsSource> {
  return typeof source === 'function';
}
