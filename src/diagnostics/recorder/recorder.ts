import { randomBytes } from 'node:crypto';
import type { HistorySample, RecorderStatus } from '../../contract/recorder.schema.js';
import type { Verdict } from '../../contract/verdict.schema.js';
import { MemoryReader } from '../../ledger/process/memory-figures.js';
import { uncounted } from '../../ledger/uncounted.js';
import type { DiagnosticsLog } from '../diagnostics-log.js';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import type { Endpoint } from '../http/endpoint.js';
import { metricGroup } from '../metrics/metric.js';
import { recorderMetrics } from '../metrics/recorder.metrics.js';
import { EvidenceBundle, type EvidenceInputs } from './files/evidence-bundle.js';
import { EvidenceDirectory } from './files/evidence-directory.js';
import { LifeFile } from './files/life-file.js';
import type { LifeHeader } from './files/life-record.js';
import { processIdentity } from './files/process-identity.js';
import { GrowthPositions } from './growth-positions.js';
import { HistoryRing } from './history-ring.js';
import type { LifeArchive } from './life-archive.js';
import { type MemoryPressure, MemoryWatch } from './memory/memory-watch.js';
import type { RecorderSettings } from './recorder.options.js';
import { SampleTaker } from './sample-taker.js';

/** How often memory is compared with its limits. */
const PULSE_MS = 1_000;

/** What the recorder is made from. */
export interface RecorderSetup {
  settings: RecorderSettings;
  /** Work under way; null where nobody counts it. */
  inFlightCount(): number | null;
  /** Those that are growing or leaking now, at most a few. */
  suspects(): readonly Verdict[];
  /** Where records go besides memory and file. */
  archive?: LifeArchive | undefined;
  /** Looks up the positions in the sources, which later snapshots of the ledger then have. */
  lookUpPositions?: () => Promise<unknown>;
  /** What else the evidence at the soft limit is made of; without it, or without a directory, none is written. */
  evidence?: Pick<EvidenceInputs, 'groups' | 'heap'>;
  log: DiagnosticsLog;
}

/**
 * Takes a sample every so often, and keeps what was: in memory, in the file of this life, in the archive. Looks at the memory
 * once a second, and samples with every look while its limit is near. Never throws into the application, never keeps the
 * process alive.
 */
export class Recorder implements DiagnosticsPart {
  readonly endpoints: readonly Endpoint[] = [];
  readonly metrics = [metricGroup({ name: 'recorder', read: () => this.status, metrics: recorderMetrics })];
  readonly history = new HistoryRing();
  /** This life. */
  readonly life: LifeHeader;
  /** Where lives are found again; undefined without one. */
  readonly directory: EvidenceDirectory | undefined;
  private readonly file: LifeFile | undefined;
  private readonly evidence: EvidenceBundle | undefined;
  private readonly taker: SampleTaker;
  private readonly memory = new MemoryReader();
  private readonly watch: MemoryWatch;
  private readonly positions: GrowthPositions;
  private readonly pulseMs: number;
  private timer: NodeJS.Timeout | undefined;
  private nextSampleMs = 0;
  private hasFailed = false;

  constructor(private readonly setup: RecorderSetup) {
    const { settings, inFlightCount, log } = setup;
    this.life = newLife(settings.instance);
    this.taker = new SampleTaker(inFlightCount);
    this.watch = new MemoryWatch(settings.softLimitRatio);
    this.positions = new GrowthPositions(setup.lookUpPositions ?? (() => Promise.resolve()));
    this.pulseMs = Math.min(PULSE_MS, settings.intervalMs);
    if (settings.directory === undefined) return;
    this.directory = new EvidenceDirectory(settings.directory, settings.maxBytes);
    this.file = new LifeFile(this.directory, this.life, log);
    const { evidence, suspects } = setup;
    if (evidence === undefined) return;
    const history = (sinceAt: number) => this.history.samples(sinceAt);
    this.evidence = new EvidenceBundle(this.directory, this.life, { ...evidence, verdicts: suspects, history }, log);
  }

  /** What of the memory is over the soft limit; null while nothing is. */
  get pressure(): MemoryPressure | null {
    return this.watch.pressure;
  }

  /** What was kept, and what had to be dropped. */
  get status(): RecorderStatus {
    return {
      life: this.life.id,
      samplesCount: this.history.samplesCount,
      historyBytes: this.history.heldBytes,
      evidenceCount: this.evidence?.writtenCount ?? 0,
      file: this.file?.status ?? null,
      copy: this.setup.archive?.status ?? null,
    };
  }

  start(): void {
    if (this.timer !== undefined) return;
    this.taker.start();
    this.file?.start();
    // The first sample comes with the first pulse: of a process that dies young it is the only one.
    this.nextSampleMs = 0;
    this.timer = uncounted.timers.setInterval(() => this.guarded(() => this.pulse()), this.pulseMs);
    this.timer.unref();
  }

  /** Resolves within half a second. */
  async stop(): Promise<void> {
    if (this.timer === undefined) return;
    uncounted.timers.clearInterval(this.timer);
    this.timer = undefined;
    this.taker.stop();
    this.evidence?.stop();
    this.file?.stop();
    await this.setup.archive?.end(this.life, Date.now());
  }

  private pulse(): void {
    this.watch.look(this.memory.read());
    if (this.watch.pressure !== null || this.watch.isNear) this.evidence?.pressed(this.watch.pressure);
    const nowMs = performance.now();
    if (nowMs < this.nextSampleMs && !this.watch.isNear) return;
    // After the timers of this turn: the delay histogram learns of a block that ends now only when its own timer has run.
    setImmediate(() => this.guarded(() => this.sample())).unref();
  }

  private sample(): void {
    if (this.timer === undefined) return;
    // Counted from here: a loop that stood still since the pulse does not make the next one due at once. A pulse may come a little early.
    this.nextSampleMs = performance.now() + this.setup.settings.intervalMs - this.pulseMs / 2;
    const sample = this.taker.take();
    this.history.add(sample);
    this.tell(sample);
    if (this.watch.pressure === null && !this.watch.isNear) this.positions.seen(sample.growing);
    this.hasFailed = false;
  }

  private tell(sample: HistorySample): void {
    const record = { sample, isNearLimit: this.watch.isNear, verdicts: [...this.setup.suspects()] };
    this.file?.write(record);
    this.setup.archive?.write(this.life, record);
  }

  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (this.hasFailed) return;
      this.hasFailed = true;
      this.setup.log.warn(`the recorder failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function newLife(instance: string): LifeHeader {
  const startedAt = Math.round(performance.timeOrigin);
  // Readable, in the order of time, and no two alike: several may be made in one process, or as process 1 of containers.
  const moment = new Date(startedAt).toISOString().replace(/[-:]|\.\d+Z$/g, '');
  const id = `${moment}-${process.pid}-${randomBytes(3).toString('hex')}`;
  return { id, instance, pid: process.pid, startedAt, identity: processIdentity(process.pid) };
}
