import { applyDecorators, UseFilters } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type { CommandName } from '../contract/commands.js';
import { CommandErrorFilter } from './command-error.filter.js';

/**
 * Marks a controller method as the handler of a command. The transport has validated the payload against the contract
 * before the method is called, races it against the deadline, and turns a thrown CommandError into the reply.
 * The method receives `(request: CommandRequest<Name>, context: CommandContext)`; it needs no parameter decorators.
 */
export function Command(name: CommandName): MethodDecorator {
  return applyDecorators(MessagePattern(name), UseFilters(CommandErrorFilter), receivesRequestAndContext);
}

/** Without it Nest would hand over the payload only. The same as `@Payload()` and `@Ctx()` written out. */
function receivesRequestAndContext(target: object, method: string | symbol): void {
  Payload()(target, method, 0);
  Ctx()(target, method, 1);
}
