import { writeFileSync } from 'node:fs';
import type { HistorySample } from '../../../contract/recorder.schema.js';
import type { Verdict } from '../../../contract/verdict.schema.js';
import type { HeapSampling, HeapSite, LedgerGroup, LedgerSnapshot } from '../../../ledger/index.js';
import { uncounted } from '../../../ledger/uncounted.js';
import type { DiagnosticsLog } from '../../diagnostics-log.js';
import type { MemoryPressure } from '../memory/memory-watch.js';
import type { EvidenceDirectory } from './evidence-directory.js';
import { FILE_SHARE } from './life-file.js';
import type { LifeHeader } from './life-record.js';

/** One press of the limit is written down once, not every second of it. */
const COOL_DOWN_MS = 600_000;
/** A process that lives at its limit for weeks must not fill the directory. */
const MAX_BUNDLES = 8;
/** How long the heap is sampled for the second bundle; its sites are floors over several reads. */
const HEAP_LOOK_MS = 10_000;
const HEAP_READS = 5;
const HISTORY_MS = 600_000;
const MAX_GROUPS = 60;
const MAX_SITES = 40;
const MAX_SAMPLES = 120;

/** What the evidence is made of. */
export interface EvidenceInputs {
  groups(): LedgerSnapshot;
  verdicts(): readonly Verdict[];
  history(sinceAt: number): readonly HistorySample[];
  heap: HeapSampling;
}

/**
 * Writes down what a process holds when its memory is over the soft limit: at once, because it may be killed within the second,
 * and again with the heap by function a little later. Never a heap snapshot, which would be the end of it.
 */
export class EvidenceBundle {
  private count = 0;
  private quietUntilMs = 0;
  private timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly directory: EvidenceDirectory,
    private readonly life: LifeHeader,
    private readonly inputs: EvidenceInputs,
    private readonly log: DiagnosticsLog,
  ) {}

  /** Bundles that were written. */
  get writtenCount(): number {
    return this.count;
  }

  /** Memory is over the soft limit, or its end is near. Does nothing during the cool-down and after the last bundle. */
  pressed(pressure: MemoryPressure | null): void {
    const nowMs = performance.now();
    // Each press writes two.
    if (nowMs < this.quietUntilMs || this.count + 2 > MAX_BUNDLES) return;
    this.quietUntilMs = nowMs + COOL_DOWN_MS;
    this.write(pressure, null);
    this.lookIntoTheHeap(pressure);
  }

  stop(): void {
    for (const timer of this.timers.splice(0)) uncounted.timers.clearTimeout(timer);
    this.inputs.heap.stop();
  }

  private lookIntoTheHeap(pressure: MemoryPressure | null): void {
    const { heap } = this.inputs;
    if (!heap.start()) return;
    for (let read = 1; read <= HEAP_READS; read++) this.later((HEAP_LOOK_MS * read) / HEAP_READS, () => heap.read());
    this.later(HEAP_LOOK_MS, () => {
      void heap
        .sites()
        .then((sites) => this.write(pressure, sites))
        .catch((error: unknown) => this.failed(error))
        .finally(() => heap.stop());
    });
  }

  private later(delayMs: number, work: () => void): void {
    const timer = uncounted.timers.setTimeout(work, delayMs);
    timer.unref();
    this.timers.push(timer);
  }

  private write(pressure: MemoryPressure | null, heapSites: readonly HeapSite[] | null): void {
    try {
      const { directory, life, inputs } = this;
      const { kinds, groups } = inputs.groups();
      const at = Date.now();
      const json = JSON.stringify({
        at,
        life,
        pressure,
        verdicts: inputs.verdicts(),
        kinds,
        groups: foremost(groups),
        // Null in the first bundle of a press: the sampler has only just begun.
        heapSites: heapSites?.slice(0, MAX_SITES) ?? null,
        history: inputs.history(at - HISTORY_MS).slice(-MAX_SAMPLES),
      });
      directory.make();
      if (!this.makeRoom(Buffer.byteLength(json))) return;
      const number = ++this.count;
      writeFileSync(directory.file({ instance: life.instance, life: life.id, number, type: 'evidence' }), json, {
        mode: 0o600,
      });
      this.log.warn(
        `memory is close to the ${pressure?.limit ?? 'memory limit'}: evidence ${number} of this life is written`,
      );
    } catch (error) {
      this.failed(error);
    }
  }

  /** Other lives go first, then the oldest evidence of this one; what it wrote about itself stays. */
  private makeRoom(bytes: number): boolean {
    const { directory, life } = this;
    // Its own file goes on to grow, to the end of a piece.
    const neededBytes = bytes + Math.floor(directory.maxBytes * FILE_SHARE);
    const isMade = directory.makeRoom(life.instance, neededBytes, {
      keep: (entry) => entry.life === life.id && entry.type === 'life',
      rather: (entry) => entry.life === life.id,
    });
    if (isMade) return true;
    this.log.warn(`evidence of ${bytes} bytes is not written: ${directory.maxBytes} bytes leave no room for it`);
    return false;
  }

  private failed(error: unknown): void {
    this.log.warn(`evidence could not be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Those that grow fastest and those with most alive. */
function foremost(groups: readonly LedgerGroup[]): LedgerGroup[] {
  const byGrowth = [...groups].sort((a, b) => b.ratePerSecond - a.ratePerSecond).slice(0, MAX_GROUPS / 2);
  const byLive = [...groups].sort((a, b) => b.live - a.live).slice(0, MAX_GROUPS / 2);
  return [...new Set([...byGrowth, ...byLive])];
}
