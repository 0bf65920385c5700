import type { HeapSampling, HeapSite } from '../../ledger/index.js';

/** Reads between two questions who grows: positions are looked up for the answer. */
const READS_PER_QUESTION = 10;
/** Standard deviations from which a site is named, and from which there is nothing more to find. */
const NAMED_AT = 2;
const SURE_AT = 3.5;
/** Or a site that holds so much, and most of what was allocated and kept since the sampling began. */
const NAMED_BYTES = 4 * 2 ** 20;
const NAMED_SHARE = 0.5;
/** Looking costs a percent or two: without a name by then there is none. */
const MAX_READS = 900;

/** Samples the heap while it rises, until the function that allocates what stays is named. */
export class HeapLook {
  /** The function, while the heap rises; null while it is not known. */
  found: HeapSite | null = null;
  private reads = 0;
  private isLooking = false;

  constructor(private readonly sampling: HeapSampling) {}

  /** The heap rises by itself, or no longer does. */
  want(isRising: boolean): void {
    if (!isRising) {
      this.stop();
      this.found = null;
      this.reads = 0;
    } else if (!this.isLooking && this.reads === 0) this.isLooking = this.sampling.start();
  }

  /** To be called once a second. Rejects when the sampler cannot be read. */
  async tick(): Promise<void> {
    if (!this.isLooking) return;
    this.sampling.read();
    if (++this.reads % READS_PER_QUESTION !== 0) return;
    const site = namedSite(await this.sampling.sites());
    if (!this.isLooking) return;
    if (site) this.found = site;
    if ((site && site.confidence >= SURE_AT) || this.reads >= MAX_READS) this.stop();
  }

  /** Lets go of the sampler; what was found stays. */
  stop(): void {
    if (!this.isLooking) return;
    this.isLooking = false;
    this.sampling.stop();
  }
}

function namedSite(sites: readonly HeapSite[]): HeapSite | null {
  const own = sites.filter(({ site }) => site !== null);
  const growing = own.find(
    ({ confidence, growthBytesPerSecond }) => confidence >= NAMED_AT && growthBytesPerSecond > 0,
  );
  if (growing) return growing;
  const total = sites.reduce((sum, { liveBytes }) => sum + liveBytes, 0);
  const largest = own.reduce<HeapSite | null>(
    (most, one) => (most && most.liveBytes >= one.liveBytes ? most : one),
    null,
  );
  return largest && largest.liveBytes >= NAMED_BYTES && largest.liveBytes >= NAMED_SHARE * total ? largest : null;
}
