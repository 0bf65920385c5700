import { unwatchFile, watchFile, type Stats } from 'node:fs';

/**
 * Tells when one of some files is another one than before. Looks at them every now and then, because what a cluster mounts
 * is a link to a link that is swapped, which no watch of the kernel on the file would notice. Holds neither the process
 * nor a file.
 */
export class WatchedFiles {
  private readonly onChange: (now: Stats, before: Stats) => void;
  private readonly paths: readonly string[];

  /** @param paths undefined where a setting names no file */
  constructor(paths: readonly (string | undefined)[], everyMs: number, onChange: () => void) {
    this.paths = paths.filter((path) => path !== undefined);
    this.onChange = (now, before) => {
      if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino || now.size !== before.size) onChange();
    };
    for (const path of this.paths) watchFile(path, { persistent: false, interval: everyMs }, this.onChange);
  }

  close(): void {
    for (const path of this.paths) unwatchFile(path, this.onChange);
  }
}
