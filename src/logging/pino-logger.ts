import type { LoggerService } from '@nestjs/common';
import { destination, type Level, pino, type Logger as Pino, stdSerializers } from 'pino';

/** Nest's log calls as JSON lines on standard output. */
export class PinoLogger implements LoggerService {
  private readonly pino: Pino;

  /** @param level lines below it are not written; `silent` writes none */
  constructor(level: Level | 'silent') {
    // Synchronous: the last lines before an exit are the ones that matter.
    this.pino = pino(
      {
        level,
        base: { pid: process.pid },
        timestamp: pino.stdTimeFunctions.isoTime,
        serializers: { err: errorFields },
      },
      destination({ fd: 1, sync: true }),
    );
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  /** Nest passes the context last, and the stack of an error before it. */
  private write(level: Level, message: unknown, rest: unknown[]): void {
    const context = typeof rest.at(-1) === 'string' ? (rest.pop() as string) : undefined;
    const stack = level === 'error' && typeof rest[0] === 'string' ? rest[0] : undefined;
    const fields = { context, stack, ...(message instanceof Error ? { err: message } : {}) };
    this.pino[level](fields, message instanceof Error ? message.message : String(message));
  }
}

/** What is written of an error. Not its other properties: that of an invalid URL is the URL, with the password in it. */
function errorFields(error: Error & { code?: unknown }): Record<string, unknown> {
  const { type, message, stack } = stdSerializers.err(error);
  return { type, message, stack, ...(typeof error.code === 'string' ? { code: error.code } : {}) };
}
