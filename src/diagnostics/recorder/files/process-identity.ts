import { readFileSync, readlinkSync } from 'node:fs';

/**
 * What tells one process from any other that had or gets its number: start of the machine, namespace of the number, moment of
 * its start. Null without /proc, or when there is no such process.
 */
export function processIdentity(pid: number): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    // The name of the program stands in parentheses and may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const startTicks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${boot} ${readlinkSync('/proc/self/ns/pid')} ${startTicks}`;
  } catch {
    return null;
  }
}

/** Whether a process still runs; false where that cannot be told, for instance from inside another container. */
export function stillRuns({ pid, identity }: { pid: number; identity: string | null }): boolean {
  return identity !== null && processIdentity(pid) === identity;
}
