import { type DynamicModule, type FactoryProvider, Module, type ModuleMetadata, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { CommanderAgent } from './commander-agent.js';
import { COMMANDER_AGENT_OPTIONS, type CommanderAgentOptions } from './commander-agent.options.js';

/** Options that other providers have to be asked for. */
export interface CommanderAgentAsyncOptions {
  imports?: ModuleMetadata['imports'];
  inject?: FactoryProvider['inject'];
  useFactory: FactoryProvider<CommanderAgentOptions>['useFactory'];
}

/**
 * Turns a Nest app into an agent: provider methods marked with `@JobHandler` execute the jobs that commander sends.
 * For a graceful end call `app.enableShutdownHooks()`.
 */
@Module({})
export class CommanderAgentModule {
  static forRoot(options: CommanderAgentOptions = {}): DynamicModule {
    return define({ provide: COMMANDER_AGENT_OPTIONS, useValue: options });
  }

  static forRootAsync({ imports, inject, useFactory }: CommanderAgentAsyncOptions): DynamicModule {
    return define({ provide: COMMANDER_AGENT_OPTIONS, inject, useFactory }, imports);
  }
}

function define(options: Provider, imports: NonNullable<ModuleMetadata['imports']> = []): DynamicModule {
  return {
    module: CommanderAgentModule,
    imports: [DiscoveryModule, ...imports],
    providers: [options, CommanderAgent],
    exports: [CommanderAgent],
  };
}
