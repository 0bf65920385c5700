import { CommandError } from '../contract/command-error.js';

/** Answers of a server that is there but cannot serve anybody now: it loads, changes roles, or its disk or memory is full. */
const serverStates = /^(LOADING|MASTERDOWN|CLUSTERDOWN|READONLY|TRYAGAIN|NOREPLICAS|BUSY|MISCONF|OOM) /;

/** UNAVAILABLE for such an answer; undefined for any other error. */
export function refusedByServer(error: unknown): CommandError | undefined {
  const state = error instanceof Error ? serverStates.exec(error.message)?.[1] : undefined;
  return state === undefined ? undefined : new CommandError('UNAVAILABLE', `Redis cannot serve this now (${state})`);
}
