import { type DynamicModule, type FactoryProvider, Module, type ModuleMetadata, type Provider } from '@nestjs/common';
import { CommanderClient } from './commander-client.js';
import { COMMANDER_CLIENT_OPTIONS, type CommanderClientOptions } from './commander-client.options.js';

/** Where the module is visible. */
export interface CommanderClientVisibility {
  /** Makes `CommanderClient` injectable everywhere, not only where the module is imported. */
  isGlobal?: boolean;
}

/** Options that other providers have to be asked for. */
export interface CommanderClientAsyncOptions extends CommanderClientVisibility {
  imports?: ModuleMetadata['imports'];
  inject?: FactoryProvider['inject'];
  useFactory: FactoryProvider<CommanderClientOptions>['useFactory'];
}

/** Makes a {@link CommanderClient} injectable and closes it when the app shuts down. */
@Module({})
export class CommanderClientModule {
  static forRoot({ isGlobal, ...options }: CommanderClientOptions & CommanderClientVisibility = {}): DynamicModule {
    return define({ provide: COMMANDER_CLIENT_OPTIONS, useValue: options }, { isGlobal });
  }

  static forRootAsync({ imports, inject, useFactory, isGlobal }: CommanderClientAsyncOptions): DynamicModule {
    return define({ provide: COMMANDER_CLIENT_OPTIONS, inject, useFactory }, { isGlobal }, imports);
  }
}

function define(
  options: Provider,
  { isGlobal = false }: CommanderClientVisibility,
  imports: ModuleMetadata['imports'] = [],
): DynamicModule {
  return {
    module: CommanderClientModule,
    global: isGlobal,
    imports,
    providers: [options, CommanderClient],
    exports: [CommanderClient],
  };
}
