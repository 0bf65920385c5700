import type { GroupOrigin } from '../capture/group-origin.js';
import type { CodeLocation } from '../capture/code-locations.js';

/** The lines of new groups, until they were looked up in the sources. As bounded as the groups are. */
export class UnresolvedPlaces {
  private origins: GroupOrigin[] = [];
  /** By file of the running code, in the order in which they were met. */
  private readonly waiting = new Map<string, CodeLocation[]>();
  /** Too much to be read before somebody asks. */
  private left: CodeLocation[] = [];

  /** Whether there are some that will be read before somebody asks. */
  get isWaiting(): boolean {
    return this.origins.length > 0 || this.waiting.size > 0;
  }

  add(origin: GroupOrigin): void {
    this.origins.push(origin);
  }

  /** All of them; they are the caller's from now on. */
  takeAll(): CodeLocation[] {
    this.sort();
    const all = [...this.left, ...[...this.waiting.values()].flat()];
    this.left = [];
    this.waiting.clear();
    return all;
  }

  /** Those of one file; undefined when no file waits. */
  takeFile(): CodeLocation[] | undefined {
    if (this.origins.length > 0) this.sort();
    for (const [path, locations] of this.waiting) {
      this.waiting.delete(path);
      return locations;
    }
    return undefined;
  }

  /** Not before somebody asks. */
  leave(locations: readonly CodeLocation[]): void {
    for (const location of locations) this.left.push(location);
  }

  private sort(): void {
    for (const { frames } of this.origins) {
      for (const location of frames) {
        if (location.original !== undefined) continue;
        const { path } = location.file;
        const list = this.waiting.get(path);
        if (list) list.push(location);
        else this.waiting.set(path, [location]);
      }
    }
    this.origins = [];
  }
}
