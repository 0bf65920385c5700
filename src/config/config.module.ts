import { type DynamicModule, Module } from '@nestjs/common';
import type { Settings } from './settings.js';

/** Injection token of {@link Settings}. */
export const SETTINGS = Symbol('SETTINGS');

/** Makes one frozen settings object injectable everywhere. */
@Module({})
export class ConfigModule {
  static forRoot(values: Settings): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [{ provide: SETTINGS, useValue: values }],
      exports: [SETTINGS],
    };
  }
}
