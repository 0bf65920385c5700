import { applyDecorators, UseFilters } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type { CommandName } from '../contract/commands.js';
import { CommandErrorFilter } from './command-error.filter.js';

/**
 * Marks a controller method as the handler of a command. The transport has validated the payload against the contract
 * before the method is called, races it against the deadline, and turns a thrown CommandError into the reply.
 * The method receives `(request: CommandRequest<Name>, context: CommandContext)`.
 */
export function Command(name: CommandName): MethodDecorator {
  return applyDecorators(MessagePattern(name), UseFilters(CommandErrorFilter));
}
