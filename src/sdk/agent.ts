export { CommandError, errorCodes, type ErrorCode } from '../contract/command-error.js';
export { CommanderAgent } from './commander-agent.js';
export { type CommanderAgentAsyncOptions, CommanderAgentModule } from './commander-agent.module.js';
export type { CommanderAgentOptions } from './commander-agent.options.js';
export type { JobContext, JobHandlerFunction } from './job-context.js';
export { JobFailure } from './job-failure.js';
export { JobHandler } from './job-handler.decorator.js';
