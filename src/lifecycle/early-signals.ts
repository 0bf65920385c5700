import { constants } from 'node:os';

/**
 * Imported before anything else. Until {@link installShutdown} takes over, signals end the process here: Node as PID 1
 * has no default action for them, and one that came while the modules are loaded would be lost without a listener.
 */
const endAtOnce = (signal: NodeJS.Signals) => process.exit(128 + constants.signals[signal]);
const signals = ['SIGTERM', 'SIGINT'] as const;

for (const signal of signals) process.on(signal, endAtOnce);

/** Hands signals over, once somebody else listens: a signal that waits to be delivered goes to whoever listens then. */
export function handOverSignals(): void {
  for (const signal of signals) process.off(signal, endAtOnce);
}
