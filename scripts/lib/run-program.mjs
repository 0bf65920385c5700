import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { checkout } from './checkout.mjs';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a program in the checkout with our output and resolves with its exit code (128 + n after a signal, 127 when it is missing).
 * A signal to us meanwhile is handed on to it, and ends us too once the program has ended.
 */
export async function runProgram(command, args, { env = process.env, cwd = checkout } = {}) {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
  let received;
  const handOn = (signal) => {
    received = signal;
    child.kill(signal);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, handOn);
  const code = await new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`commander: ${command}: ${error.message}`);
      resolve(127);
    });
    child.once('exit', (exitCode, signal) => resolve(exitCode ?? exitCodeOf(signal)));
  });
  for (const signal of STOP_SIGNALS) process.off(signal, handOn);
  if (received) process.exit(exitCodeOf(received));
  return code;
}

/** What a shell reports for a process ended by this signal. */
export function exitCodeOf(signal) {
  return 128 + (constants.signals[signal] ?? 0);
}
