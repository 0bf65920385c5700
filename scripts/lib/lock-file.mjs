import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { processIdentity, stillRuns } from './process-identity.mjs';

/**
 * Tries to take a lock for this process. A lock whose holder no longer runs is taken over.
 * @returns `{ release }` when it is ours, else `{ holder: { pid, since } }`. Also released when the process exits.
 */
export function takeLock(file) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = JSON.stringify({ ...processIdentity(process.pid), since: new Date().toISOString() });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, mine);
  try {
    for (;;) {
      try {
        // link() creates the lock with its content in one step: nobody ever reads an empty one.
        linkSync(draft, file);
        break;
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      const holder = readHolder(file);
      if (holder === undefined) continue;
      if (holder.pid !== undefined && stillRuns(holder)) return { holder };
      evict(file, holder.text);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  const release = () => {
    process.off('exit', release);
    if (readHolder(file)?.text === mine) rmSync(file, { force: true });
  };
  process.on('exit', release);
  return { release };
}

function readHolder(file) {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return { ...JSON.parse(text), text };
  } catch {
    return { text };
  }
}

/** Removes a stale lock, but not one that somebody else has put in its place meanwhile. */
function evict(file, staleText) {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (readHolder(aside)?.text !== staleText) {
    try {
      linkSync(aside, file);
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
  }
  rmSync(aside, { force: true });
}
