import { readFileSync } from 'node:fs';

/**
 * What tells a process from a later one with the same number: pid and, on Linux, the kernel's start time in clock ticks.
 * `undefined` when no such process runs (a zombie does not run).
 */
export function processIdentity(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return undefined;
  }
  let stat;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return { pid, startTime: null };
  }
  // The command name in parentheses may hold any character, so count fields from its end: state is the 1st, start time the 20th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : { pid, startTime: fields[19] };
}

/** Whether exactly the process that was recorded still runs. */
export function stillRuns(identity) {
  const now = processIdentity(identity.pid);
  return now !== undefined && now.startTime === identity.startTime;
}
