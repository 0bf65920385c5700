import { existsSync, type Stats, mkdirSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A file of another instance that was written within this time may have somebody who still writes it. */
const FOREIGN_GRACE_MS = 600_000;
const MAX_FILES = 200;

const NAME = /^([A-Za-z0-9._-]{1,64})@([A-Za-z0-9-]{1,64})\.(\d{4,9})\.(life|evidence)$/;

/** A file of ours. */
export interface EvidenceEntry {
  name: string;
  instance: string;
  life: string;
  number: number;
  /** A piece of what a life wrote about itself, or a bundle of evidence. */
  type: 'life' | 'evidence';
  bytes: number;
  writtenAt: number;
}

/** The directory that outlives the process: the files of its lives and their evidence, within a number of bytes. */
export class EvidenceDirectory {
  constructor(
    private readonly path: string,
    readonly maxBytes: number,
  ) {}

  /** Makes it where it is missing. @throws the error of the file system */
  make(): void {
    makeDirectory(this.path);
  }

  /** Where a file is. */
  file({ instance, life, number, type }: Pick<EvidenceEntry, 'instance' | 'life' | 'number' | 'type'>): string {
    return join(this.path, `${instance}@${life}.${String(number).padStart(4, '0')}.${type}`);
  }

  /** Files of ours, oldest first; what is not ours is not seen. A directory that cannot be read is empty. Never rejects. */
  async list(): Promise<EvidenceEntry[]> {
    const names = await readdir(this.path).catch(() => []);
    const entries = names.map(async (name) => entryOf(name, await stat(join(this.path, name)).catch(() => undefined)));
    return inOrder(await Promise.all(entries));
  }

  /**
   * Removes the oldest files until the rest and `newBytes` more fit, sparing those that are to be kept and, of other instances,
   * those that may still be written. Those that would rather be kept go when the others do not suffice.
   * @returns whether they fit now
   * @throws the error of the file system
   */
  makeRoom(instance: string, newBytes: number, { keep, rather }: Record<'keep' | 'rather', Sparing>): boolean {
    const left = new Set(
      inOrder(
        readdirSync(this.path).map((name) => entryOf(name, statSync(join(this.path, name), { throwIfNoEntry: false }))),
      ),
    );
    let heldBytes = newBytes;
    for (const { bytes } of left) heldBytes += bytes;
    const foreignBefore = Date.now() - FOREIGN_GRACE_MS;
    const fits = (): boolean => heldBytes <= this.maxBytes && left.size <= MAX_FILES;
    for (const isSpared of [(entry: EvidenceEntry) => keep(entry) || rather(entry), keep]) {
      for (const entry of left) {
        if (fits()) return true;
        if (isSpared(entry) || (entry.instance !== instance && entry.writtenAt > foreignBefore)) continue;
        unlinkSync(this.file(entry));
        heldBytes -= entry.bytes;
        left.delete(entry);
      }
    }
    return fits();
  }
}

/** Whether a file is spared when room is made. */
type Sparing = (entry: EvidenceEntry) => boolean;

/** Not `recursive`: Node tries for ever where a file system that exists answers ENOENT, as /proc does. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    makeDirectory(dirname(path));
    mkdirSync(path, { mode: 0o700 });
  }
}

function entryOf(name: string, stats: Stats | undefined): EvidenceEntry | null {
  const [, instance, life, number, type] = NAME.exec(name) ?? [];
  if (type === undefined || !stats?.isFile()) return null;
  return {
    name,
    instance: instance!,
    life: life!,
    number: Number(number),
    type: type as EvidenceEntry['type'],
    bytes: stats.size,
    writtenAt: Math.round(stats.mtimeMs),
  };
}

function inOrder(entries: (EvidenceEntry | null)[]): EvidenceEntry[] {
  return entries
    .filter((entry) => entry !== null)
    .sort((a, b) => a.writtenAt - b.writtenAt || (a.name < b.name ? -1 : 1));
}
