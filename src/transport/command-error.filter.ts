import { Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';
import { CommandError } from '../contract/command-error.js';

/** Turns whatever a handler throws into an error of the contract; the text of an unexpected one stays in the log. */
@Catch()
export class CommandErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger(CommandErrorFilter.name);

  catch(exception: unknown): Observable<never> {
    if (exception instanceof CommandError) return throwError(() => exception.toWire());
    this.logger.error(exception instanceof Error ? (exception.stack ?? exception.message) : String(exception));
    return throwError(() => new CommandError('INTERNAL', 'internal error').toWire());
  }
}
