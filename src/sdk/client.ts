export { CommandError, errorCodes, type ErrorCode } from '../contract/command-error.js';
export type { CommandInput, CommandName, CommandReply } from '../contract/commands.js';
export type { CallOptions, CommandGroup } from './command-group.js';
export { CommanderClient } from './commander-client.js';
export {
  type CommanderClientAsyncOptions,
  CommanderClientModule,
  type CommanderClientVisibility,
} from './commander-client.module.js';
export type { CommanderClientOptions } from './commander-client.options.js';
