import { constants } from 'node:os';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { handOverSignals } from './early-signals.js';
import { ServingState } from './serving-state.js';
import { ShutdownTrace } from './shutdown-trace.js';

export interface ShutdownOptions {
  /** The process has exited this long after the shutdown began, whatever hangs. */
  timeoutMs: number;
  /** Signals that begin it. Default SIGTERM and SIGINT. */
  signals?: readonly NodeJS.Signals[];
}

/** The end of the process, once {@link installShutdown} has taken charge of it. */
export interface Shutdown {
  /** Begins the shutdown as a signal would; the process exits with `exitCode`. Does nothing when it is under way. */
  begin(reason: string, exitCode: number): void;
  /** Gives signals and fatal errors back to Node. */
  uninstall(): void;
}

/** A signal that repeats a request to stop: whoever sends it does not want to wait. */
function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/**
 * Takes charge of how this process ends. The first signal turns readiness off and closes the app, under one hard
 * deadline: exit code 0 when the app closed, 1 when it did not by then, with a line that says what it waited for. A
 * second signal exits at once (130 or 143). An uncaught error or an unhandled rejection is logged and ends the process
 * the same way, with exit code 1.
 *
 * Exits explicitly, because Node as PID 1 has no default action for signals and would stay. A `Promise` of the app may
 * be given, so that a signal during the start is not lost.
 */
export function installShutdown(
  app: INestApplicationContext | Promise<INestApplicationContext>,
  { timeoutMs, signals = ['SIGTERM', 'SIGINT'] }: ShutdownOptions,
): Shutdown {
  const logger = new Logger('Shutdown');
  let exitCode: number | undefined;

  const close = async (): Promise<void> => {
    let trace: ShutdownTrace | undefined;
    // Keeps the process alive on purpose: an event loop that runs empty while the close hangs must not look like success.
    const deadline = setTimeout(() => {
      const waitedFor = trace?.waitingFor() ?? 'the start to finish';
      logger.fatal(`not finished after ${timeoutMs} ms, still waiting for: ${waitedFor}; exiting with code 1`);
      process.exit(1);
    }, timeoutMs);
    try {
      const started = await app;
      drain(started);
      trace = new ShutdownTrace(started);
      await started.close();
    } catch (error) {
      exitCode = 1;
      logger.fatal(`closing failed: ${describe(error)}`);
    }
    clearTimeout(deadline);
    logger.log(`finished, exiting with code ${exitCode}`);
    process.exit(exitCode);
  };

  const begin = (reason: string, code: number) => {
    if (exitCode !== undefined) {
      // What fails on the way out makes it a failure, but does not begin it again.
      exitCode = Math.max(exitCode, code);
      return;
    }
    exitCode = code;
    logger.log(`${reason}: shutting down, in ${timeoutMs} ms at most`);
    void close();
  };

  const onSignal = (signal: NodeJS.Signals) => {
    if (exitCode !== undefined) {
      logger.warn(`${signal} again: exiting at once`);
      process.exit(exitCodeOf(signal));
    }
    begin(signal, 0);
  };
  const onFatal = (kind: string) => (error: unknown) => {
    // A log that nobody reads any more: reporting that would fail the same way, for ever.
    if ((error as NodeJS.ErrnoException | null)?.code !== 'EPIPE') logger.fatal(`${kind}: ${describe(error)}`);
    begin(kind, 1);
  };
  const onUncaughtException = onFatal('uncaught exception');
  const onUnhandledRejection = onFatal('unhandled rejection');

  for (const signal of signals) process.on(signal, onSignal);
  handOverSignals();
  process.on('uncaughtException', onUncaughtException);
  process.on('unhandledRejection', onUnhandledRejection);

  return {
    begin,
    uninstall() {
      for (const signal of signals) process.off(signal, onSignal);
      process.off('uncaughtException', onUncaughtException);
      process.off('unhandledRejection', onUnhandledRejection);
    },
  };
}

/** Before any hook: from now on `/readyz` says no, so that no new connection is sent here. */
function drain(app: INestApplicationContext): void {
  app.get(ServingState, { strict: false }).drain();
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
