import { readFileSync } from 'node:fs';

/** Whether a process with this id runs. A zombie (ended, not yet collected by its parent) does not. */
export function isAlive(pid: number): boolean {
  try {
    // The state letter follows the command name, which is in parentheses and may itself contain any character.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^ [ZX]/.test(stat.slice(stat.lastIndexOf(')') + 1));
  } catch {
    return false;
  }
}
