import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';
import { CommandError } from '../contract/command-error.js';
import { CommandContext } from './command-context.js';

/** Turns whatever a handler throws into an error of the contract; the text of an unexpected one stays in the log. */
@Catch()
export class CommandErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger(CommandErrorFilter.name);

  catch(exception: unknown, host: ArgumentsHost): Observable<never> {
    if (exception instanceof CommandError) return throwError(() => exception.toWire());
    const text = exception instanceof Error ? (exception.stack ?? exception.message) : String(exception);
    this.logger.error(`${calledBy(host)}: ${text}`);
    return throwError(() => new CommandError('INTERNAL', 'internal error').toWire());
  }
}

function calledBy(host: ArgumentsHost): string {
  const context: unknown = host.switchToRpc().getContext();
  if (!(context instanceof CommandContext)) return 'command';
  // The caller chose the request id: quoted, so that it cannot forge a log line.
  return context.requestId === undefined
    ? context.getPattern()
    : `${context.getPattern()} ${JSON.stringify(context.requestId)}`;
}
