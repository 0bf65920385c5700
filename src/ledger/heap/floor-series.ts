/** Reads that make a window of the finest scale at least: the measured number at which noise no longer shows as growth. */
const READS_PER_WINDOW = 8;
/** Windows of one scale that make one of the next. */
const WINDOWS_PER_WINDOW = 4;
const SCALES = 3;
const MAX_WINDOWS = 8;
const MAX_SITES = 2_048;

/** The minima of one site, per scale: of the window that runs, and of those that are complete. */
interface Floors {
  readonly running: number[];
  readonly complete: number[][];
}

/** What one site held at least, in the windows of one scale. */
export interface Floor {
  /** End of each window. */
  readonly atMs: readonly number[];
  readonly bytes: readonly number[];
}

/**
 * Per site, the minimum over windows of reads, at three scales: 8 reads and a major collection, 4 of those, 16 of those; 8
 * windows each. What was not collected yet would show as growth; what is alive is in every read. The first 8 reads are left
 * out: what was there before the sampling began is not seen until it is renewed. Bounded, whatever comes.
 */
export class FloorSeries {
  readsCount = 0;
  private readonly sites = new Map<number, Floors>();
  private readonly ends: number[][] = Array.from({ length: SCALES }, () => []);
  /** What the running window of each scale is made of so far: reads, then windows of the scale below. */
  private readonly partsInWindow = new Array<number>(SCALES).fill(0);
  private collectedInWindow = false;
  private settled = false;
  private lastAtMs = 0;

  get sitesCount(): number {
    return this.sites.size;
  }

  /** Complete windows of the finest scale. */
  get windowsCount(): number {
    return this.ends[0].length;
  }

  /**
   * @param bytes what each site holds now; a site that is not in it holds nothing
   * @param collected whether the old generation was collected since the read before
   */
  add(atMs: number, bytes: ReadonlyMap<number, number>, collected: boolean): void {
    this.readsCount++;
    this.collectedInWindow ||= collected;
    for (const site of bytes.keys()) {
      if (!this.sites.has(site) && this.sites.size < MAX_SITES) this.sites.set(site, this.emptyFloors());
    }
    for (const [site, { running }] of this.sites) {
      const held = bytes.get(site) ?? 0;
      for (let scale = 0; scale < SCALES; scale++) running[scale] = Math.min(running[scale], held);
    }
    this.lastAtMs = atMs;
    this.partsInWindow[0]++;
    if (this.partsInWindow[0] < READS_PER_WINDOW || (this.settled && !this.collectedInWindow)) return;
    this.collectedInWindow = false;
    if (this.settled) this.closeWindow(0, atMs);
    else this.settle();
    this.forgetEmpty(bytes);
  }

  /** The complete windows of a site at each scale that has two of them, finest first. */
  floors(site: number): Floor[] {
    const floors = this.sites.get(site);
    if (!floors) return [];
    return this.ends
      .map((atMs, scale) => ({ atMs, bytes: floors.complete[scale] }))
      .filter(({ atMs }) => atMs.length >= 2);
  }

  /**
   * The windows of the finest scale, and with them the one that runs, as soon as it lacks nothing but a collection: what
   * stands in it may be garbage.
   */
  provisional(site: number): Floor {
    const floors = this.sites.get(site);
    if (!floors) return { atMs: [], bytes: [] };
    const runs = this.settled && this.partsInWindow[0] >= READS_PER_WINDOW;
    return {
      atMs: runs ? [...this.ends[0], this.lastAtMs] : this.ends[0],
      bytes: runs ? [...floors.complete[0], floors.running[0]] : floors.complete[0],
    };
  }

  /** The least that it held in the window before, or since the start while there is none. */
  level(site: number): number {
    const running = this.sites.get(site)?.running[0] ?? 0;
    return this.provisional(site).bytes.at(-1) ?? (Number.isFinite(running) ? running : 0);
  }

  /** A site that comes late has held nothing before. */
  private emptyFloors(): Floors {
    const isFirstRead = this.partsInWindow[0] === 0;
    return {
      running: this.partsInWindow.map((parts) => (parts === 0 && isFirstRead ? Infinity : 0)),
      complete: this.ends.map((ends) => ends.map(() => 0)),
    };
  }

  private settle(): void {
    this.settled = true;
    this.partsInWindow[0] = 0;
    for (const { running } of this.sites.values()) running.fill(Infinity);
  }

  private closeWindow(scale: number, atMs: number): void {
    this.partsInWindow[scale] = 0;
    keepLast(this.ends[scale], atMs);
    for (const { running, complete } of this.sites.values()) {
      keepLast(complete[scale], running[scale]);
      running[scale] = Infinity;
    }
    const coarser = scale + 1;
    if (coarser < SCALES && ++this.partsInWindow[coarser] === WINDOWS_PER_WINDOW) this.closeWindow(coarser, atMs);
  }

  private forgetEmpty(bytes: ReadonlyMap<number, number>): void {
    for (const [site, { complete }] of this.sites) {
      if (!bytes.has(site) && complete.every((windows) => windows.every((floor) => floor === 0))) {
        this.sites.delete(site);
      }
    }
  }
}

function keepLast(list: number[], value: number): void {
  list.push(value);
  if (list.length > MAX_WINDOWS) list.shift();
}
