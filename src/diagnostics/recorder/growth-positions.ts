import type { HistorySample } from '../../contract/recorder.schema.js';

/** Groups that are remembered as looked up; more are looked up again. */
const MAX_KNOWN = 256;
const PAUSE_MS = 15_000;
/** A first one, or a few more, is what every process has. */
const MIN_LIVE = 10;

/**
 * Has the positions in the sources looked up for what is seen growing, so that the records that follow name lines which people
 * know. Seldom, and not while memory is short: reading a source map takes some.
 */
export class GrowthPositions {
  private readonly known = new Set<string>();
  private quietUntilMs = 0;

  /** @param lookUp may reject: then the lines stay those of the running code */
  constructor(private readonly lookUp: () => Promise<unknown>) {}

  seen(growing: HistorySample['growing']): void {
    const nowMs = performance.now();
    const strangers = growing.filter(({ id, site, live }) => site !== null && live >= MIN_LIVE && !this.known.has(id));
    if (strangers.length === 0 || nowMs < this.quietUntilMs) return;
    this.quietUntilMs = nowMs + PAUSE_MS;
    if (this.known.size + strangers.length > MAX_KNOWN) this.known.clear();
    for (const { id } of strangers) this.known.add(id);
    this.lookUp().catch(() => undefined);
  }
}
